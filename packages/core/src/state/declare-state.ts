import type { Clock } from '../base/environment.ts';
import { type Key, keyIdentity } from '../element/key.ts';
import { CellColumn } from './cell-column.ts';
import type { StateDescriptor } from './descriptors.ts';
import type { DirtyLog } from './dirty-log.ts';
import { DirtyTable } from './dirty-table.ts';
import type { KeySlots, SlotColumn } from './key-slots.ts';
import { type ListCell, ListHandle } from './list-handle.ts';
import { type MapCell, MapHandle } from './map-handle.ts';
import type { StateTable } from './state-table.ts';
import type { StoredEntry } from './stored-entry.ts';
import type { TableRestorer } from './table-restorer.ts';
import { TtlClock } from './ttl-clock.ts';
import { ValueColumn } from './value-column.ts';
import { AggregatingHandle, type OnStore, ReducingHandle, ValueHandle } from './value-handles.ts';

/** What all states of a store share, and the table of this one. */
export interface StateContext {
  readonly table: StateTable;
  readonly keys: KeySlots;
  readonly log: DirtyLog;
  readonly restorer: TableRestorer;
  readonly clock: Clock;
  readonly onStore: OnStore | null;
}

/** A declared state: its column, what the user sees of it, and how much it holds. */
export interface DeclaredState {
  readonly column: SlotColumn;
  readonly handle: unknown;
  readonly liveCount: () => number;
}

/** Makes the column and the handle of a state and restores it. */
export function declareState(
  descriptor: StateDescriptor<unknown>,
  context: StateContext,
): DeclaredState {
  const ttl =
    descriptor.options.ttl === undefined
      ? null
      : new TtlClock(descriptor.options.ttl, context.clock);
  switch (descriptor.kind) {
    case 'list':
      return declareList(context, ttl);
    case 'map':
      return declareMap(context, ttl);
    default:
      return declareValue(descriptor, context, ttl);
  }
}

function declareValue(
  descriptor: StateDescriptor<unknown>,
  context: StateContext,
  ttl: TtlClock | null,
): DeclaredState {
  const { table, keys, log, onStore } = context;
  const column = new ValueColumn(table, keys, log, ttl);
  const isUserValue = descriptor.kind !== 'aggregating'; // accumulators change in place
  context.restorer.restore(table, ({ key, keyGroup, value, expiresAtMs, isMigrated }) => {
    const slot = keys.slotOf(key, keyGroup);
    if (onStore !== null && isUserValue) onStore(value);
    column.restore(slot, value, expiresAtMs);
    if (isMigrated) column.rewrite(slot);
  });
  const liveCount = (): number => column.liveCount;
  if (descriptor.kind === 'reducing') {
    const handle = new ReducingHandle(keys, column, descriptor.reduce!, onStore);
    return { column, handle, liveCount };
  }
  if (descriptor.kind === 'aggregating') {
    return {
      column,
      handle: new AggregatingHandle(keys, column, descriptor.aggregate!),
      liveCount,
    };
  }
  return { column, handle: new ValueHandle(keys, column, descriptor.initial, onStore), liveCount };
}

function declareList(context: StateContext, ttl: TtlClock | null): DeclaredState {
  const { table, entries } = restoreElements(context);
  const column = new CellColumn<ListCell<unknown>, unknown>(context.keys, table);
  for (const entry of entries) {
    const slot = context.keys.slotOf(entry.key, entry.keyGroup);
    let cell = column.at(slot);
    if (cell === undefined) {
      cell = { slot, entries: [], next: 0 };
      column.values[slot] = cell;
    }
    cell.entries.push(entry);
    cell.next = (entry.sub as number) + 1; // the table's order is that of the sequence numbers
  }
  const handle = new ListHandle(column, ttl, context.onStore);
  return { column, handle, liveCount: () => table.liveCount };
}

function declareMap(context: StateContext, ttl: TtlClock | null): DeclaredState {
  const { table, entries } = restoreElements(context);
  entries.sort((a, b) => a.rank - b.rank);
  const column = new CellColumn<MapCell<unknown>, unknown>(context.keys, table);
  for (const entry of entries) {
    const slot = context.keys.slotOf(entry.key, entry.keyGroup);
    let cell = column.at(slot);
    if (cell === undefined) {
      cell = { slot, entries: new Map(), nextRank: 0 };
      column.values[slot] = cell;
    }
    cell.entries.set(keyIdentity(entry.sub as Key), entry);
    cell.nextRank = entry.rank + 1;
  }
  const handle = new MapHandle<Key, unknown>(column, ttl, context.onStore);
  return { column, handle, liveCount: () => table.liveCount };
}

function restoreElements(context: StateContext): {
  table: DirtyTable<unknown>;
  entries: StoredEntry<unknown>[];
} {
  const entries: StoredEntry<unknown>[] = [];
  const table = new DirtyTable<unknown>(context.table, context.log, (accept) =>
    context.restorer.restoreEntries(context.table, accept),
  );
  table.restoreStored((entry) => {
    if (context.onStore !== null) context.onStore(entry.value);
    entries.push(entry);
  });
  return { table, entries };
}
