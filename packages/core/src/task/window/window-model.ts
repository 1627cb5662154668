// Test support: windows by brute force, straight from the rules, to compare the operators with.
import type { WindowAssigner } from '../../function/window.ts';
import { planMerge } from './merging-windows.ts';
import { assignWindows } from './window-assignment.ts';

/** A record of the model tests. */
export interface ModelRecord {
  readonly key: string;
  readonly amount: number;
}

/** A result, flat. */
export interface ModelResult {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly count: number;
  readonly total: number;
}

interface ModelWindow {
  readonly key: string;
  startMs: number;
  endMs: number;
  count: number;
  total: number;
  /** Will fire when the watermark reaches the end. */
  waits: boolean;
}

/** Event-time windows with the default trigger, summing: a list, searched from end to end. */
export class WindowModel {
  readonly results: ModelResult[] = [];
  dropped = 0;
  #windows: ModelWindow[] = [];
  #watermarkMs = Number.NEGATIVE_INFINITY;
  readonly #assigner: WindowAssigner;
  readonly #latenessMs: number;

  constructor(assigner: WindowAssigner, latenessMs: number) {
    this.#assigner = assigner;
    this.#latenessMs = latenessMs;
  }

  get isEmpty(): boolean {
    return this.#windows.length === 0;
  }

  record({ key, amount }: ModelRecord, timestampMs: number): void {
    let taken = false;
    const merging = this.#assigner.kind === 'session';
    for (const added of assignWindows(this.#assigner, amount, timestampMs)) {
      const parts = this.#windows.filter((window) => window.key === key);
      const bounds = merging ? planMerge(parts, added).window : added;
      if (bounds.endMs - 1 + this.#latenessMs <= this.#watermarkMs) continue;
      taken = true;
      const joined = parts.filter(
        (part) => part.startMs >= bounds.startMs && part.endMs <= bounds.endMs,
      );
      const same = merging ? joined : joined.filter((part) => part.startMs === bounds.startMs);
      this.#windows = this.#windows.filter((window) => !same.includes(window));
      const window: ModelWindow = {
        key,
        startMs: bounds.startMs,
        endMs: bounds.endMs,
        count: same.reduce((count, part) => count + part.count, 1),
        total: same.reduce((total, part) => total + part.total, amount),
        waits: bounds.endMs - 1 > this.#watermarkMs,
      };
      this.#windows.push(window);
      if (!window.waits) this.#emit(window);
    }
    if (!taken && timestampMs + this.#latenessMs <= this.#watermarkMs) this.dropped++;
  }

  watermark(timeMs: number): void {
    this.#watermarkMs = timeMs;
    const due = this.#windows.filter((window) => window.waits && window.endMs - 1 <= timeMs);
    for (const window of due.sort((a, b) => a.endMs - b.endMs)) {
      window.waits = false;
      this.#emit(window);
    }
    this.#windows = this.#windows.filter(({ endMs }) => endMs - 1 + this.#latenessMs > timeMs);
  }

  restore(): void {
    this.#watermarkMs = Number.NEGATIVE_INFINITY;
  }

  #emit({ key, startMs, endMs, count, total }: ModelWindow): void {
    this.results.push({ key, startMs, endMs, count, total });
  }
}
