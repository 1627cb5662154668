import type { Clock } from '../base/environment.ts';
import type { Key } from '../element/key.ts';
import type { EntryReader, StoredRecord } from './entry-reader.ts';
import type { SubKey } from './entry-table.ts';
import type { StateDescriptor } from './descriptors.ts';
import type { DirtyLog } from './dirty-log.ts';
import { DirtyTable } from './dirty-table.ts';
import { ABSENT, COLD, type KeySlots, type SlotColumn } from './key-slots.ts';
import { ListColumn } from './list-column.ts';
import { ListHandle } from './list-handle.ts';
import { MapColumn } from './map-column.ts';
import { MapHandle } from './map-handle.ts';
import type { DeclaredTable } from './state-table.ts';
import { TtlClock } from './ttl-clock.ts';
import { ValueColumn } from './value-column.ts';
import { AggregatingHandle, type OnStore, ReducingHandle, ValueHandle } from './value-handles.ts';

/** What all states of a store share, and the table of this one. */
export interface StateContext {
  readonly table: DeclaredTable;
  readonly keys: KeySlots;
  readonly log: DirtyLog;
  readonly cold: EntryReader;
  readonly clock: Clock;
  readonly onStore: OnStore | null;
}

/** A declared state: its column, what the user sees of it, and how much it holds. */
export interface DeclaredState {
  readonly table: DeclaredTable;
  readonly column: SlotColumn;
  readonly handle: unknown;
  /** Values or entries in memory. */
  readonly liveCount: () => number;
  /** Whether the slot holds anything, expired or not. May read. */
  readonly holds: (slot: number) => boolean;
  /** Whether what the runs hold of an entry is not known: neither in memory nor ended. */
  readonly lacks: (slot: number, sub: SubKey) => boolean;
  /** Puts in all records of one key that it lacks. */
  readonly fill: (slot: number, records: readonly StoredRecord[]) => void;
}

/** Makes the column and the handle of a state. Reads nothing of what is stored. */
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
  const { table, keys, log, cold, onStore } = context;
  // Accumulators change in place.
  const onLoad = descriptor.kind === 'aggregating' ? null : onStore;
  const column = new ValueColumn(table, keys, log, cold, ttl, onLoad);
  return {
    table,
    column,
    handle: valueHandle(descriptor, keys, column, onStore),
    liveCount: () => column.liveCount,
    holds: (slot) => column.holds(slot),
    lacks: (slot) => column.values[slot] === COLD,
    fill: (slot, [record]) => column.fill(slot, record!),
  };
}

function valueHandle(
  descriptor: StateDescriptor<unknown>,
  keys: KeySlots,
  column: ValueColumn,
  onStore: OnStore | null,
): unknown {
  switch (descriptor.kind) {
    case 'reducing':
      return new ReducingHandle(keys, column, descriptor.reduce!, onStore);
    case 'aggregating':
      return new AggregatingHandle(keys, column, descriptor.aggregate!);
    default:
      return new ValueHandle(keys, column, descriptor.initial, onStore);
  }
}

function declareList(context: StateContext, ttl: TtlClock | null): DeclaredState {
  const { keys, log, cold, onStore } = context;
  const table = elementTable(context);
  const column = new ListColumn<unknown>(keys, table, log, cold);
  return {
    table: context.table,
    column,
    handle: new ListHandle(column, ttl, onStore),
    liveCount: () => table.liveCount,
    holds: (slot) => column.at(slot) !== undefined,
    lacks: (slot) => column.values[slot] === COLD,
    fill: (slot, records) => column.fill(slot, records),
  };
}

function declareMap(context: StateContext, ttl: TtlClock | null): DeclaredState {
  const { keys, log, cold, onStore } = context;
  const table = elementTable(context);
  const column = new MapColumn<unknown>(keys, table, log, cold);
  return {
    table: context.table,
    column,
    handle: new MapHandle<Key, unknown>(column, ttl, onStore),
    liveCount: () => table.liveCount,
    holds(slot) {
      const cell = column.values[slot] === ABSENT ? undefined : column.at(slot);
      return cell !== undefined && column.hasAny(cell);
    },
    lacks: (slot, sub) => column.lacks(slot, sub as Key),
    fill: (slot, records) => column.fill(slot, records),
  };
}

function elementTable({ table, log, onStore }: StateContext): DirtyTable<unknown> {
  const elements = new DirtyTable<unknown>(table, log, null);
  elements.onLoad = onStore;
  return elements;
}
