// What somebody would write by hand for the same task: maps, no checkpoints, no failures. Each loop
// is copied before it is run (`freshCopy` in variants.ts), so that it shares no type feedback with
// another one. A loop must therefore use nothing but its arguments.
import type { Batch } from '@millrace/core/connector';
import type { BidEvent } from './replayed-events.ts';
import type { Tally } from './tally.ts';

/** What a loop works on. */
export interface HandInput {
  readonly batches: number;
  readonly next: () => Batch;
  readonly timestampOf: (event: BidEvent) => number;
  readonly keyOf: (event: BidEvent) => string | number;
  readonly tally: Tally;
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly outOfOrderMs: number;
}

/** Counts per key and tumbling window; windows fire by the greatest time seen. */
export function tumblingCount(input: HandInput): void {
  const { batches, next, timestampOf, keyOf, tally, sizeMs, outOfOrderMs } = input;
  type Cell = { readonly key: string | number; count: number };
  const windows = new Map<number, Map<string | number, Cell>>();
  let startMs = 0.5;
  let endMs = 0.5;
  let cells = new Map<string | number, Cell>();
  let maxMs = -0.5;
  let firedMs = -0.5;
  const fire = (watermarkMs: number): void => {
    for (const [end, window] of [...windows].sort(([a], [b]) => a - b)) {
      if (end - 1 > watermarkMs) break;
      for (const { key, count } of window.values()) {
        const result = { key, windowStartMs: end - sizeMs, windowEndMs: end, value: count };
        tally.add(result.value);
      }
      windows.delete(end);
      firedMs = end;
    }
    startMs = endMs = 0.5;
  };
  for (let b = 0; b < batches; b++) {
    const { values, size } = next();
    for (let i = 0; i < size; i++) {
      const event = values[i] as BidEvent;
      const timestampMs = timestampOf(event);
      if (timestampMs > maxMs) maxMs = timestampMs;
      if (timestampMs < startMs || timestampMs >= endMs) {
        startMs = Math.floor(timestampMs / sizeMs) * sizeMs;
        endMs = startMs + sizeMs;
        if (endMs <= firedMs) {
          startMs = endMs = 0.5;
          continue; // late
        }
        const found = windows.get(endMs);
        cells = found ?? new Map();
        if (found === undefined) windows.set(endMs, cells);
      }
      const key = keyOf(event);
      const cell = cells.get(key);
      if (cell === undefined) cells.set(key, { key, count: 1 });
      else cell.count++;
    }
    const watermarkMs = maxMs - outOfOrderMs - 1;
    if (watermarkMs >= firedMs + sizeMs - 1 || firedMs < 0) fire(watermarkMs);
  }
  fire(Number.POSITIVE_INFINITY);
}

/** Counts per key and slice, and merges the slices of a window when it fires. */
export function slidingCount(input: HandInput): void {
  const { batches, next, timestampOf, keyOf, tally, sizeMs, slideMs, outOfOrderMs } = input;
  type Cell = { readonly key: string | number; count: number };
  const slices = new Map<number, Map<string | number, Cell>>();
  let startMs = 0.5;
  let endMs = 0.5;
  let cells = new Map<string | number, Cell>();
  let maxMs = -0.5;
  let nextEndMs = slideMs + 0;
  const fire = (watermarkMs: number): void => {
    while (nextEndMs - 1 <= watermarkMs && slices.size > 0) {
      const merged = new Map<string | number, Cell>();
      for (let start = nextEndMs - sizeMs; start < nextEndMs; start += slideMs) {
        for (const { key, count } of slices.get(start)?.values() ?? []) {
          const cell = merged.get(key);
          if (cell === undefined) merged.set(key, { key, count });
          else cell.count += count;
        }
      }
      for (const { key, count } of merged.values()) {
        const windowStartMs = nextEndMs - sizeMs;
        const result = { key, windowStartMs, windowEndMs: nextEndMs, value: count };
        tally.add(result.value);
      }
      slices.delete(nextEndMs - sizeMs);
      nextEndMs += slideMs;
    }
    startMs = endMs = 0.5;
  };
  for (let b = 0; b < batches; b++) {
    const { values, size } = next();
    for (let i = 0; i < size; i++) {
      const event = values[i] as BidEvent;
      const timestampMs = timestampOf(event);
      if (timestampMs > maxMs) maxMs = timestampMs;
      if (timestampMs < startMs || timestampMs >= endMs) {
        startMs = Math.floor(timestampMs / slideMs) * slideMs;
        endMs = startMs + slideMs;
        if (startMs + sizeMs < nextEndMs) {
          startMs = endMs = 0.5;
          continue; // late
        }
        const found = slices.get(startMs);
        cells = found ?? new Map();
        if (found === undefined) slices.set(startMs, cells);
      }
      const key = keyOf(event);
      const cell = cells.get(key);
      if (cell === undefined) cells.set(key, { key, count: 1 });
      else cell.count++;
    }
    const watermarkMs = maxMs - outOfOrderMs - 1;
    if (watermarkMs >= nextEndMs - 1) fire(watermarkMs);
  }
  fire(Number.POSITIVE_INFINITY);
}

/** The greatest price per key so far, for every record. */
export function runningMaximum(input: HandInput): void {
  const { batches, next, timestampOf, keyOf, tally } = input;
  const latest = new Map<string | number, BidEvent>();
  let maxMs = -0.5;
  for (let b = 0; b < batches; b++) {
    const { values, size } = next();
    for (let i = 0; i < size; i++) {
      const event = values[i] as BidEvent;
      const timestampMs = timestampOf(event);
      if (timestampMs > maxMs) maxMs = timestampMs;
      const key = keyOf(event);
      const before = latest.get(key);
      const after = before === undefined || event.price > before.price ? event : before;
      latest.set(key, after);
      tally.add(after.price);
    }
  }
}

/** A total per key, and a result for every high price. */
export function totalOfKey(input: HandInput): void {
  const { batches, next, timestampOf, keyOf, tally } = input;
  const totals = new Map<string | number, { total: number }>();
  let maxMs = -0.5;
  for (let b = 0; b < batches; b++) {
    const { values, size } = next();
    for (let i = 0; i < size; i++) {
      const event = values[i] as BidEvent;
      const timestampMs = timestampOf(event);
      if (timestampMs > maxMs) maxMs = timestampMs;
      const key = keyOf(event);
      const cell = totals.get(key);
      const total = (cell === undefined ? 0 : cell.total) + event.price;
      if (cell === undefined) totals.set(key, { total });
      else cell.total = total;
      if (event.price > 990) {
        const result = { key, total };
        tally.add(result.total);
      }
    }
  }
}
