import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import type { SnapshotKind } from '../element/element.ts';
import type { Key } from '../element/key.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import { ShapeTable } from '../codec/shape-table.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { StateDescriptors, StateHandles } from './descriptors.ts';
import { DirtyLog, type DirtyLogTuning } from './dirty-log.ts';
import { DirtyTable } from './dirty-table.ts';
import type { EntryTable, EntryTableSpec } from './entry-table.ts';
import { ABSENT, KeySlots, type SlotColumn } from './key-slots.ts';
import type { FrozenState, KeyedStateStore } from './keyed-state-store.ts';
import { declareState } from './declare-state.ts';
import { LiveRuns } from './live-runs.ts';
import { TableRestorer } from './table-restorer.ts';
import { pickCompaction } from './pick-compaction.ts';
import type { RestoredRuns } from './restored-runs.ts';
import { RunCompactor } from './run-compactor.ts';
import { tableId, type TableRecord } from './run-format.ts';
import type { RunStore } from './run-store.ts';
import { Segment } from './segment.ts';
import type { KeyedStateSnapshot } from './snapshot.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { DuplicateStateError } from './state-errors.ts';
import type { StateTable } from './state-table.ts';
import type { OnStore } from './value-handles.ts';

/** What a keyed state store is opened with. */
export interface KeyedStateStoreOptions {
  readonly environment: Environment;
  readonly operatorUid: string;
  readonly keyGroupRange: KeyGroupRange;
  readonly maxParallelism: number;
  readonly runStore: RunStore;
  /** From `readRestoredRuns`; null for a fresh start. Used up by the store. */
  readonly restored: RestoredRuns | null;
  /** Test mode: values handed to user states are frozen, so that a change in place fails. */
  readonly freezeValues?: boolean;
  /** Default: what the run store wants, else `zstd`. */
  readonly compression?: 'zstd' | 'none';
  readonly tuning?: DirtyLogTuning;
  /** How many of the newest runs to merge now, by their sizes; default `pickCompaction`. */
  readonly compaction?: (runBytes: readonly number[]) => number;
}

/**
 * Opens the keyed state of one operator subtask. A state or table restores itself when it is
 * declared; what was restored and never declared is dropped with the first freeze.
 */
export function openKeyedStateStore(options: KeyedStateStoreOptions): KeyedStateStore {
  return new HeapKeyedStateStore(options);
}

class HeapKeyedStateStore implements KeyedStateStore {
  readonly keyGroupRange: KeyGroupRange;
  readonly maxParallelism: number;
  readonly #options: KeyedStateStoreOptions;
  readonly #keys: KeySlots;
  readonly #log: DirtyLog;
  readonly #compactor: RunCompactor;
  readonly #writer: SnapshotWriter;
  readonly #restorer: TableRestorer;
  readonly #tables = new Map<number, StateTable>();
  readonly #columns = new Map<string, SlotColumn>();
  readonly #counters: (() => number)[] = [];
  readonly #onStore: OnStore | null;

  constructor(options: KeyedStateStoreOptions) {
    const { environment, operatorUid, runStore, restored } = options;
    this.#options = options;
    this.keyGroupRange = options.keyGroupRange;
    this.maxParallelism = options.maxParallelism;
    this.#onStore = options.freezeValues === true ? deepFreeze : null;
    this.#keys = new KeySlots(operatorUid, options.maxParallelism);
    const shapes = restored?.shapes ?? new ShapeTable();
    this.#log = new DirtyLog(environment.clock, shapes, options.tuning);
    this.#restorer = new TableRestorer(restored, this.#log, operatorUid);
    const runs = new LiveRuns(restored?.references ?? []);
    const { compaction = pickCompaction } = options;
    const compression = options.compression ?? options.runStore.compression ?? 'zstd';
    this.#compactor = new RunCompactor({
      environment,
      operatorUid,
      runStore,
      runs,
      compression,
      compaction,
    });
    this.#writer = new SnapshotWriter({
      environment,
      operatorUid,
      runStore,
      log: this.#log,
      runs,
      tables: () => [...this.#tables.values()].map(tableRecord),
      compression,
      compactor: this.#compactor,
    });
  }

  states<S extends StateDescriptors>(descriptors: S): StateHandles<S> {
    const handles: Record<string, unknown> = {};
    for (const [name, descriptor] of Object.entries(descriptors)) {
      const { version = 1, migrate } = descriptor.options;
      const table = this.#declare({ name, kind: descriptor.kind, order: 'key', version, migrate });
      const declared = declareState(descriptor, {
        table,
        keys: this.#keys,
        log: this.#log,
        restorer: this.#restorer,
        clock: this.#options.environment.clock,
        onStore: this.#onStore,
      });
      handles[name] = declared.handle;
      this.#columns.set(name, declared.column);
      this.#counters.push(declared.liveCount);
    }
    return handles as StateHandles<S>; // `declareState` makes the handle of each kind
  }

  table<V>(spec: EntryTableSpec<V>): EntryTable<V> {
    const { name, kind, order, version = 1, migrate } = spec;
    const declared = this.#declare({ name, kind, order, version, migrate });
    const table = new DirtyTable<V>(declared, this.#log, (accept) =>
      this.#restorer.restoreEntries<V>(declared, accept),
    );
    this.#counters.push(() => table.liveCount);
    return table;
  }

  setCurrentKey(key: Key): void {
    this.#keys.setCurrent(key);
  }

  clearCurrentKey(): void {
    this.#keys.clearCurrent();
  }

  currentKey(): Key {
    return this.#keys.currentKey();
  }

  currentKeyGroup(): number {
    return this.#keys.currentKeyGroup();
  }

  forEachKey(stateName: string, visit: (key: Key) => void): void {
    const column = this.#columns.get(stateName);
    assert(column !== undefined, () => `state "${stateName}" is declared`);
    const length = this.#keys.length; // keys that `visit` adds are not visited
    for (let slot = 0; slot < length; slot++) {
      if (column.values[slot] === ABSENT) continue;
      const key = this.#keys.keys[slot]!;
      this.#keys.setCurrent(key);
      visit(key);
    }
  }

  isEmpty(): boolean {
    return this.#counters.every((count) => count() === 0);
  }

  freeze(): FrozenState {
    this.#restorer.dropUndeclared();
    return this.#log.freeze();
  }

  async persist(frozen: FrozenState, _kind: SnapshotKind): Promise<KeyedStateSnapshot> {
    const runs = await this.#writer.persist(asSegment(frozen));
    const tables = [...this.#tables.values()].map(({ name, kind, version }) => ({
      name,
      kind,
      version,
    }));
    return { keyGroups: this.keyGroupRange, tables, runs };
  }

  discard(frozen: FrozenState): void {
    this.#log.discard(asSegment(frozen));
  }

  close(): void {
    this.#compactor.close();
    this.#writer.close();
  }

  #declare(spec: Omit<StateTable, 'id'>): StateTable {
    const id = tableId(spec.name);
    const known = this.#tables.get(id);
    if (known !== undefined) {
      const { operatorUid } = this.#options;
      throw new DuplicateStateError(
        `operator "${operatorUid}" has two states "${known.name}" and "${spec.name}"` +
          ' that cannot be told apart',
        { operatorUid, state: spec.name },
        { hint: 'Give one of them another name.' },
      );
    }
    const table = { id, ...spec };
    this.#restorer.check(table);
    this.#tables.set(id, table);
    return table;
  }
}

function tableRecord({ id, name, kind, order }: StateTable): TableRecord {
  return { id, name, kind, order };
}

function asSegment(frozen: FrozenState): Segment {
  assert(frozen instanceof Segment, 'a frozen state comes from the freeze of this store');
  return frozen;
}
