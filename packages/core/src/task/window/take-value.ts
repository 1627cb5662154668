import type { Entry, EntryTable } from '../../state/entry-table.ts';

/**
 * Removes an entry and hands its value over to somebody who may change it. It is announced as
 * changing first, so that a frozen snapshot does not see what becomes of it.
 */
export function takeValue<V>(table: EntryTable<V>, entry: Entry<V>): V {
  table.write(entry);
  table.remove(entry);
  return entry.value;
}
