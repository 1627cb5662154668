import type { DirtyTable } from './dirty-table.ts';
import { ABSENT, type KeySlots, NO_SLOT, type SlotColumn } from './key-slots.ts';

/** An index of the entries of one key. */
export interface Cell {
  readonly slot: number;
}

/**
 * A column whose values are cells: the index of the entries of one key. The entries change by
 * themselves in the dirty log; a cell is never empty.
 */
export class CellColumn<C extends Cell, V> implements SlotColumn {
  readonly values: unknown[] = [];
  readonly table: DirtyTable<V>;
  readonly keys: KeySlots;
  #round = -1;

  constructor(keys: KeySlots, table: DirtyTable<V>) {
    this.keys = keys;
    this.table = table;
    keys.addColumn(this);
  }

  /** The current key's cell. */
  current(): C | undefined {
    const slot = this.keys.currentSlot();
    return slot === NO_SLOT ? undefined : this.at(slot);
  }

  at(slot: number): C | undefined {
    const cell = this.values[slot];
    return cell === ABSENT ? undefined : (cell as C);
  }

  /** Gives the current key a cell; the caller puts an entry into it. */
  place(make: (slot: number) => C): C {
    const slot = this.keys.ensureSlot();
    const cell = make(slot);
    this.values[slot] = cell;
    return cell;
  }

  /** The cell has become empty. */
  drop(cell: C): void {
    if (this.values[cell.slot] !== cell) return;
    this.values[cell.slot] = ABSENT;
    this.keys.releaseIfEmpty(cell.slot);
  }

  /** The next cell in a round over all; undefined if the next slot has none. Cost: O(1). */
  nextInRound(): C | undefined {
    this.#round = this.#round + 1 < this.values.length ? this.#round + 1 : 0;
    const cell = this.values[this.#round];
    return cell === ABSENT ? undefined : (cell as C | undefined);
  }

  isListed(): boolean {
    return false;
  }

  grow(): void {}
}
