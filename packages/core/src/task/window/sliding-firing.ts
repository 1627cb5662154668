import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import type { Window } from '../../function/window.ts';
import type { Entry, EntryTable } from '../../state/entry-table.ts';
import type { ResultEmitter } from './result-emitter.ts';
import type { Slices } from './slices.ts';
import type { WindowFold } from './window-fold.ts';

/** The accumulator of one key over the slices of a window. */
interface MergedCell {
  readonly key: Key;
  accumulator: unknown;
  /** False: it is the accumulator of a slice, which must not be changed. */
  isOwn: boolean;
}

/**
 * The firing of one sliding window: merge its slices by key, emit, drop the slices that no later
 * window holds. Stops between two keys when told to, and goes on at the next call.
 */
export class SlidingFiring {
  readonly #window: Window;
  readonly #table: EntryTable<unknown>;
  readonly #fold: WindowFold;
  readonly #emitter: ResultEmitter;
  readonly #merged = new Map<KeyIdentity, MergedCell>();
  readonly #work: Iterator<void>;

  constructor(
    window: Window,
    slices: Slices,
    table: EntryTable<unknown>,
    fold: WindowFold,
    emitter: ResultEmitter,
  ) {
    this.#window = window;
    this.#table = table;
    this.#fold = fold;
    this.#emitter = emitter;
    this.#work = this.#steps(slices);
  }

  /** @returns false if it stopped because `shouldYield` said so */
  run(shouldYield: () => boolean): boolean {
    while (this.#work.next().done !== true) if (shouldYield()) return false;
    return true;
  }

  // One step per emitted key, and one per MERGE_STEP keys merged or dropped. A generator: slow per
  // step (30 ns), but a step is a whole key here, and the three loops keep their shape.
  *#steps(slices: Slices): Generator<void, void, void> {
    let sinceStep = 0;
    for (const slice of slices.ofWindow(this.#window.endMs)) {
      for (const entry of slice.cells.values()) {
        this.#mergeIn(entry);
        if (++sinceStep % MERGE_STEP === 0) yield;
      }
    }
    for (const cell of this.#merged.values()) {
      const result = this.#fold.result(cell.accumulator, !cell.isOwn);
      this.#emitter.emit(cell.key, this.#window, result);
      yield;
    }
    for (const slice of slices.takeLastOf(this.#window.endMs)) {
      for (const entry of slice.cells.values()) {
        this.#table.remove(entry);
        if (++sinceStep % MERGE_STEP === 0) yield;
      }
    }
  }

  #mergeIn(entry: Entry<unknown>): void {
    const identity = keyIdentity(entry.key);
    const cell = this.#merged.get(identity);
    if (cell === undefined) {
      const { key, value } = entry;
      this.#merged.set(identity, { key, accumulator: value, isOwn: false });
      return;
    }
    const merge = this.#fold.merge!;
    if (!cell.isOwn) {
      cell.accumulator = merge(this.#fold.empty(), cell.accumulator);
      cell.isOwn = true;
    }
    cell.accumulator = merge(cell.accumulator, entry.value);
  }
}

/** Keys merged or dropped between two looks at the clock: about 0.1 ms. */
const MERGE_STEP = 512;
