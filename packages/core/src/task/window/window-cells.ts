import type { Window } from '../../function/window.ts';
import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import type { Entry, EntryTable, SubKey } from '../../state/entry-table.ts';
import { takeValue } from './take-value.ts';
import type { Chunk } from './element-buffer.ts';

/**
 * One key and one window of the general path: everything that is stored for them.
 *
 * `slots` are single values (the accumulator, the trigger's states, the function's states per
 * window) by number of their table; `chunks` hold collected records.
 */
export class WindowCell {
  readonly key: Key;
  readonly keyGroup: number;
  /** Address of the cell's entries below the key. */
  readonly sub: SubKey;
  window: Window;
  readonly slots: (Entry<unknown> | undefined)[] = [];
  readonly chunks: Entry<Chunk>[] = [];
  /**
   * Timers that are known to be registered, some of them: every record registers the same ones
   * again, and asking the timer service costs more than the rest of the record.
   */
  readonly eventTimers: number[] = [];
  readonly processingTimers: number[] = [];
  /** Of sessions: the entry that keeps the window's bounds. */
  bounds: Entry<number> | null = null;

  constructor(key: Key, keyGroup: number, sub: SubKey, window: Window) {
    this.key = key;
    this.keyGroup = keyGroup;
    this.sub = sub;
    this.window = window;
  }

  /** The window's bounds change, and with them whose timers are the cell's. */
  forgetTimers(): void {
    this.eventTimers.length = 0;
    this.processingTimers.length = 0;
  }

  /** Nothing is stored: the cell may be forgotten and made anew. */
  isEmpty(): boolean {
    if (this.bounds !== null || this.chunks.length > 0) return false;
    for (const slot of this.slots) if (slot !== undefined) return false;
    return true;
  }
}

/** Single values of cells: one table, one place in `WindowCell.slots`. */
export class CellSlot {
  readonly #table: EntryTable<unknown>;
  readonly #at: number;

  constructor(table: EntryTable<unknown>, at: number) {
    this.#table = table;
    this.#at = at;
  }

  has(cell: WindowCell): boolean {
    return cell.slots[this.#at] !== undefined;
  }

  /** The stored value; undefined if there is none. */
  get(cell: WindowCell): unknown {
    return cell.slots[this.#at]?.value;
  }

  set(cell: WindowCell, value: unknown): void {
    this.update(cell, () => value);
  }

  /**
   * Stores what `change` makes of the value there is (undefined if none). `change` may change it in
   * place: the store knows already.
   */
  update(cell: WindowCell, change: (old: unknown) => unknown): void {
    const entry = cell.slots[this.#at];
    if (entry === undefined) {
      const value = change(undefined);
      cell.slots[this.#at] = this.#table.create(cell.key, cell.keyGroup, cell.sub, value);
      return;
    }
    this.#table.write(entry);
    entry.value = change(entry.value);
  }

  clear(cell: WindowCell): void {
    const entry = cell.slots[this.#at];
    if (entry === undefined) return;
    this.#table.remove(entry);
    cell.slots[this.#at] = undefined;
  }

  /**
   * Removes the value and hands it over: from here on it may be changed.
   * Precondition: there is one.
   */
  take(cell: WindowCell): unknown {
    const entry = cell.slots[this.#at]!;
    cell.slots[this.#at] = undefined;
    return takeValue(this.#table, entry);
  }

  /** Gives the restored values to their cells. Once, before the first record. */
  restore(cellOf: (entry: Entry<unknown>) => WindowCell): void {
    this.#table.restored((entry) => {
      cellOf(entry).slots[this.#at] = entry;
    });
  }
}

/** Finds cells. Aligned and global windows: by end, then key. Sessions: by key. */
export class CellIndex {
  readonly #byEnd = new Map<number, Map<KeyIdentity, WindowCell>>();
  readonly #sessions = new Map<KeyIdentity, WindowCell[]>();

  /** The cell of an aligned or global window. O(1). */
  find(key: Key, endMs: number): WindowCell | undefined {
    return this.#byEnd.get(endMs)?.get(keyIdentity(key));
  }

  put(cell: WindowCell): void {
    const { endMs } = cell.window;
    let cells = this.#byEnd.get(endMs);
    if (cells === undefined) {
      cells = new Map();
      this.#byEnd.set(endMs, cells);
    }
    cells.set(keyIdentity(cell.key), cell);
  }

  remove(cell: WindowCell): void {
    const { endMs } = cell.window;
    const cells = this.#byEnd.get(endMs);
    if (cells === undefined) return;
    cells.delete(keyIdentity(cell.key));
    if (cells.size === 0) this.#byEnd.delete(endMs);
  }

  /** The live sessions of a key, in no order. */
  sessions(key: Key): readonly WindowCell[] {
    return this.#sessions.get(keyIdentity(key)) ?? [];
  }

  setSessions(key: Key, cells: WindowCell[]): void {
    const identity = keyIdentity(key);
    if (cells.length === 0) this.#sessions.delete(identity);
    else this.#sessions.set(identity, cells);
  }
}
