import { type KeyIdentity, keyIdentity } from '../../element/key.ts';
import type { Entry, EntryTable, SubKey } from '../../state/entry-table.ts';
import type { SliceGrid } from './slice-grid.ts';
import { takeValue } from './take-value.ts';

/** Accumulators by key of one slice. */
export class Slice {
  readonly startMs: number;
  readonly endMs: number;
  /**
   * Windows that end before this do not hold the slice's contents any more: they had fired when
   * the snapshot was taken that the contents come from. -Infinity: all windows do.
   */
  readonly firstEndMs: number;
  readonly cells = new Map<KeyIdentity, Entry<unknown>>();

  constructor(startMs: number, endMs: number, firstEndMs = Number.NEGATIVE_INFINITY) {
    this.startMs = startMs;
    this.endMs = endMs;
    this.firstEndMs = firstEndMs;
  }
}

/** No record is in it. */
export const NO_SLICE = new Slice(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

/**
 * The slices of sliding windows.
 *
 * L1. New records go to slices by their start. What was restored, and is missing from some of its
 *     slice's windows because these had fired, stands apart (`rests`) under the address
 *     [start, firstEndMs]: the watermark begins anew after a restore, so such a window may open
 *     and fire again, but with new records only.
 */
export class Slices {
  readonly #grid: SliceGrid;
  readonly #table: EntryTable<unknown>;
  readonly #merge: (a: unknown, b: unknown) => unknown;
  readonly #slices = new Map<number, Slice>();
  readonly #rests = new Map<number, Slice[]>();

  constructor(
    grid: SliceGrid,
    table: EntryTable<unknown>,
    merge: (a: unknown, b: unknown) => unknown,
  ) {
    this.#grid = grid;
    this.#table = table;
    this.#merge = merge;
  }

  /** The slice for new records that starts there; made if there is none. */
  at(startMs: number): Slice {
    let slice = this.#slices.get(startMs);
    if (slice === undefined) {
      slice = new Slice(startMs, this.#grid.nextSlice(startMs));
      this.#slices.set(startMs, slice);
    }
    return slice;
  }

  /** Everything that the window of that end holds. O(slices of a window). */
  ofWindow(endMs: number): Slice[] {
    const slices: Slice[] = [];
    let startMs = endMs - this.#grid.sizeMs;
    for (; startMs < endMs; startMs = this.#grid.nextSlice(startMs)) {
      const slice = this.#slices.get(startMs);
      if (slice !== undefined) slices.push(slice);
      for (const rest of this.#rests.get(startMs) ?? []) {
        if (rest.firstEndMs <= endMs) slices.push(rest);
      }
    }
    return slices;
  }

  /** Takes out the slices whose last window is the one of that end; their entries stay live. */
  takeLastOf(endMs: number): Slice[] {
    const taken: Slice[] = [];
    const base = endMs - this.#grid.sizeMs;
    const limit = Math.min(base + this.#grid.slideMs, endMs);
    for (let startMs = base; startMs < limit; startMs = this.#grid.nextSlice(startMs)) {
      const slice = this.#slices.get(startMs);
      if (slice !== undefined) taken.push(slice);
      taken.push(...(this.#rests.get(startMs) ?? []));
      this.#slices.delete(startMs);
      this.#rests.delete(startMs);
    }
    return taken;
  }

  /**
   * Takes in the restored entries. Once, before the first record.
   *
   * @param firedMs how far the windows of a key group had fired
   * @returns the slices there are now
   */
  restore(firedMs: (keyGroup: number) => number): readonly Slice[] {
    const moved: [Entry<unknown>, Slice][] = [];
    this.#table.restored((entry) => {
      const [startMs, knownEndMs] = addressOf(entry);
      const firedEndMs = firedMs(entry.keyGroup) + 1;
      const firstEndMs = this.#grid.firstEnd(startMs, Math.max(knownEndMs - 1, firedEndMs));
      const slice = this.#restoredSlice(startMs, firstEndMs);
      if (sameAddress(entry.sub, slice)) slice.cells.set(keyIdentity(entry.key), entry);
      else moved.push([entry, slice]);
    });
    for (const [entry, slice] of moved) this.#move(entry, slice);
    return [...this.#slices.values(), ...[...this.#rests.values()].flat()];
  }

  #restoredSlice(startMs: number, firstEndMs: number): Slice {
    if (firstEndMs === this.#grid.firstEnd(startMs)) return this.at(startMs);
    const rests = this.#rests.get(startMs) ?? [];
    let slice = rests.find((rest) => rest.firstEndMs === firstEndMs);
    if (slice === undefined) {
      slice = new Slice(startMs, this.#grid.nextSlice(startMs), firstEndMs);
      this.#rests.set(startMs, [...rests, slice]);
    }
    return slice;
  }

  #move(entry: Entry<unknown>, slice: Slice): void {
    const { key, keyGroup } = entry;
    const held = slice.cells.get(keyIdentity(key));
    const value = takeValue(this.#table, entry);
    if (held !== undefined) {
      this.#table.write(held);
      held.value = this.#merge(held.value, value);
      return;
    }
    const sub = [slice.startMs, slice.firstEndMs];
    slice.cells.set(keyIdentity(key), this.#table.create(key, keyGroup, sub, value));
  }
}

function addressOf({ sub }: Entry<unknown>): readonly [startMs: number, firstEndMs: number] {
  if (typeof sub === 'number') return [sub, Number.NEGATIVE_INFINITY];
  return sub as readonly [number, number];
}

function sameAddress(sub: SubKey, slice: Slice): boolean {
  if (typeof sub === 'number') return slice.firstEndMs === Number.NEGATIVE_INFINITY;
  return (sub as readonly [number, number])[1] === slice.firstEndMs;
}
