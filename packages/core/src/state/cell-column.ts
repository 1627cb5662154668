import type { EntryReader } from './entry-reader.ts';
import type { DirtyTable } from './dirty-table.ts';
import type { DirtyLog } from './dirty-log.ts';
import { ABSENT, COLD, type KeySlots, NO_SLOT, type SlotColumn } from './key-slots.ts';
import { SKIPPED_PER_LOOK } from './ttl-clock.ts';

/** An index of the entries of one key. */
export interface Cell {
  readonly slot: number;
}

/**
 * A column whose values are cells: the index of the entries of one key. The entries change by
 * themselves in the dirty log; the column notes when one of a key did, so that the eviction need
 * not look at each. A cell without entries is dropped; its slot stays until the ends of all of them
 * are sealed.
 */
export abstract class CellColumn<C extends Cell, V> implements SlotColumn {
  readonly values: unknown[] = [];
  readonly table: DirtyTable<V>;
  readonly keys: KeySlots;
  protected readonly log: DirtyLog;
  protected readonly cold: EntryReader;
  /** The last epoch in which an entry of the slot was made, changed or removed. */
  #changed = new Int32Array(0);
  /** The last epoch in which one was removed whose end must be written. */
  #ended = new Int32Array(0);
  #round = -1;

  constructor(keys: KeySlots, table: DirtyTable<V>, log: DirtyLog, cold: EntryReader) {
    this.keys = keys;
    this.table = table;
    this.log = log;
    this.cold = cold;
    keys.addColumn(this);
  }

  /** The cell of a slot of which nothing is known to this column; ABSENT if there is none. */
  protected abstract load(slot: number): C | typeof ABSENT;
  /** All entries of the cell leave the memory. */
  protected abstract forget(cell: C): void;
  /** Whether entries may be in the runs that are not in the cell. */
  protected abstract isPartial(cell: C): boolean;

  /** The current key's cell. */
  current(): C | undefined {
    const slot = this.keys.currentSlot();
    return slot === NO_SLOT ? undefined : this.at(slot);
  }

  at(slot: number): C | undefined {
    let cell = this.values[slot];
    if (cell === COLD) {
      cell = this.load(slot);
      this.values[slot] = cell;
    }
    return cell === ABSENT ? undefined : (cell as C);
  }

  /** Gives the current key a cell; the caller puts an entry into it. */
  place(make: (slot: number) => C): C {
    const slot = this.keys.ensureSlot();
    const cell = this.at(slot) ?? make(slot);
    this.values[slot] = cell;
    return cell;
  }

  /** An entry of the slot was made or changed. */
  noteChange(slot: number): void {
    this.#changed[slot] = this.log.epoch;
  }

  /** Ends an entry, for the log; the caller takes it out of the cell. */
  remove(cell: C, entry: Parameters<DirtyTable<V>['remove']>[0]): void {
    if (!this.table.remove(entry)) return;
    this.#changed[cell.slot] = this.log.epoch;
    this.#ended[cell.slot] = this.log.epoch;
  }

  /** The cell has become empty. */
  dropIfWhole(cell: C): void {
    const { slot } = cell;
    if (this.values[slot] !== cell || this.isPartial(cell)) return;
    this.values[slot] = ABSENT;
    this.#changed[slot] = this.#ended[slot]!;
    if (this.isSettled(slot)) this.keys.releaseIfEmpty(slot);
    else this.log.retire(slot);
  }

  /** The next cell in a round over all; undefined if the next few slots have none. Cost: O(1). */
  nextInRound(): C | undefined {
    for (let i = 0; i < SKIPPED_PER_LOOK; i++) {
      this.#round = this.#round + 1 < this.values.length ? this.#round + 1 : 0;
      const cell = this.values[this.#round];
      if (typeof cell === 'object') return cell as C;
    }
    return undefined;
  }

  reset(slot: number, initial: typeof ABSENT | typeof COLD): void {
    this.values[slot] = initial;
    this.#changed[slot] = 0;
    this.#ended[slot] = 0;
  }

  isSettled(slot: number): boolean {
    return this.#changed[slot]! <= this.log.sealedUpTo;
  }

  /** Whether the ends of all entries that were removed can be read. */
  isEndSettled(slot: number): boolean {
    return this.#ended[slot]! <= this.log.sealedUpTo;
  }

  evict(slot: number): void {
    const cell = this.values[slot];
    if (cell !== ABSENT && cell !== COLD) this.forget(cell as C);
    this.values[slot] = ABSENT;
  }

  grow(capacity: number): void {
    const changed = new Int32Array(capacity);
    changed.set(this.#changed);
    this.#changed = changed;
    const ended = new Int32Array(capacity);
    ended.set(this.#ended);
    this.#ended = ended;
  }
}
