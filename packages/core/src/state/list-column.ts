import { type Cell, CellColumn } from './cell-column.ts';
import type { StoredRecord } from './entry-reader.ts';
import { ABSENT } from './key-slots.ts';
import type { StoredEntry } from './stored-entry.ts';

/** The elements of one key, in order; their sub keys are the sequence numbers. */
export interface ListCell<T> extends Cell {
  entries: StoredEntry<T>[];
  next: number;
}

/** The lists of all keys. A list is in memory as a whole or not at all. */
export class ListColumn<T> extends CellColumn<ListCell<T>, T> {
  /** Puts in the elements that the runs hold of a slot's key; the slot is COLD. */
  fill(slot: number, records: Iterable<StoredRecord>): void {
    let cell: ListCell<T> | undefined;
    for (const record of records) {
      cell ??= { slot, entries: [], next: 0 };
      if (record.isMigrated) this.noteChange(slot);
      cell.entries.push(this.table.adopt(record));
      cell.next = (record.sub as number) + 1; // the table's order is that of the sequence numbers
    }
    this.values[slot] = cell ?? ABSENT;
  }

  protected load(slot: number): ListCell<T> | typeof ABSENT {
    const records = this.cold.scan(
      this.table.table,
      this.keys.keyGroups[slot]!,
      this.keys.keys[slot]!,
    );
    const found: StoredRecord[] = [];
    for (let record = records.next(); record !== null; record = records.next()) found.push(record);
    this.fill(slot, found);
    return this.values[slot] as ListCell<T> | typeof ABSENT;
  }

  protected forget(cell: ListCell<T>): void {
    for (const entry of cell.entries) this.table.forget(entry);
  }

  protected isPartial(): boolean {
    return false;
  }
}
