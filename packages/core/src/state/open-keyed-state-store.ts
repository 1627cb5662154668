import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import type { SnapshotKind } from '../element/element.ts';
import type { Key } from '../element/key.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import type { MetricGroup } from '../metrics/registry.ts';
import { ColdFigures } from './cold-reader.ts';
import { EntryReader, type StoredRecord } from './entry-reader.ts';
import { type DeclaredState, declareState } from './declare-state.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { StateDescriptors, StateHandles } from './descriptors.ts';
import { cutReferences } from './cut-references.ts';
import { DirtyLog, type DirtyLogTuning } from './dirty-log.ts';
import { DirtyTable } from './dirty-table.ts';
import type { EntryTable, EntryTableSpec } from './entry-table.ts';
import { Hydration } from './hydration.ts';
import { KeySlots } from './key-slots.ts';
import type { FrozenState, KeyedStateStore } from './keyed-state-store.ts';
import { LiveRuns } from './live-runs.ts';
import { MemoryBudget } from './memory-budget.ts';
import { openColdState } from './open-cold-state.ts';
import { pickCompaction } from './pick-compaction.ts';
import { RunCompactor } from './run-compactor.ts';
import type { RunStore } from './run-store.ts';
import { Segment } from './segment.ts';
import type { KeyedStateRestore, KeyedStateSnapshot } from './snapshot.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { DeclaredTable } from './state-table.ts';
import { StoreMemory } from './store-memory.ts';
import { holdsStored, visitKeys } from './stored-keys.ts';
import { TableRegistry } from './table-registry.ts';

/** What a keyed state store is opened with. */
export interface KeyedStateStoreOptions {
  readonly environment: Environment;
  readonly operatorUid: string;
  readonly keyGroupRange: KeyGroupRange;
  readonly maxParallelism: number;
  readonly runStore: RunStore;
  /** null for a fresh start. Nothing of it is read before it is needed. */
  readonly restored: KeyedStateRestore | null;
  /** Shared by all stores of a thread. Default: everything stays in memory. */
  readonly memory?: MemoryBudget;
  /** Gets the figures of docs/reference/metrics.md. */
  readonly metrics?: MetricGroup;
  /** State cannot be written any more, outside a snapshot. Default: tried again and again. */
  readonly fail?: (error: unknown) => void;
  /** A large value has come in: call `memory.relieve` as soon as no user function runs. */
  readonly onLargeValue?: () => void;
  /** Test mode: values handed to user states are frozen, so that a change in place fails. */
  readonly freezeValues?: boolean;
  /** Default: what the run store wants, else `zstd`. */
  readonly compression?: 'zstd' | 'none';
  readonly tuning?: DirtyLogTuning;
  /** Whether to load all state in the background, if there is room. Default true. */
  readonly hydrate?: boolean;
  /** How many of the newest runs to merge now, by their sizes; default `pickCompaction`. */
  readonly compaction?: (runBytes: readonly number[]) => number;
}

/** State that would take more than this share of the budget is not loaded in the background. */
const HYDRATED_SHARE = 0.5;
/** Heap bytes per byte of a run, and per entry: a guess on the safe side. */
const HEAP_PER_RUN_BYTE = 4;
const HEAP_PER_ENTRY = 200;
const HYDRATION_SLICE_MS = 2;

/**
 * Opens the keyed state of one operator subtask. Per-key states are read when they are touched,
 * tables when their owner asks for `restored`. What was restored and is not declared before the
 * first freeze is dropped.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws, later as well
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
  readonly #cold: EntryReader;
  readonly #runs: LiveRuns;
  readonly #compactor: RunCompactor;
  readonly #writer: SnapshotWriter;
  readonly #budget: MemoryBudget;
  readonly #memory: StoreMemory;
  readonly #tables: TableRegistry;
  readonly #states = new Map<string, DeclaredState>();
  readonly #counters: (() => number)[] = [];
  #hydration: Hydration | null = null;
  #isClosed = false;

  constructor(options: KeyedStateStoreOptions) {
    const { environment, operatorUid, runStore, restored, keyGroupRange } = options;
    this.#options = options;
    this.keyGroupRange = keyGroupRange;
    this.maxParallelism = options.maxParallelism;
    this.#runs = new LiveRuns(cutReferences(restored?.runs ?? [], keyGroupRange));
    const isComplete = this.#runs.newestFirst.length === 0;
    this.#keys = new KeySlots(operatorUid, options.maxParallelism, isComplete);
    this.#budget = options.memory ?? new MemoryBudget(Number.POSITIVE_INFINITY);
    const { cache } = this.#budget;
    const figures = new ColdFigures();
    const cold = openColdState({ runStore, live: this.#runs, keyGroupRange, cache, figures });
    this.#log = new DirtyLog(environment.clock, cold.shapes, options.tuning);
    if (options.onLargeValue !== undefined) this.#log.onLargeValue = options.onLargeValue;
    this.#cold = new EntryReader(cold, () => this.#log.nowMs(), operatorUid);
    this.#tables = new TableRegistry(restored?.tables ?? [], operatorUid);
    const { compaction = pickCompaction } = options;
    const compression = options.compression ?? runStore.compression ?? 'zstd';
    this.#compactor = new RunCompactor({
      environment,
      operatorUid,
      runStore,
      runs: this.#runs,
      compression,
      compaction,
    });
    this.#writer = new SnapshotWriter({
      environment,
      operatorUid,
      runStore,
      log: this.#log,
      runs: this.#runs,
      onSealed: () => this.#memory.onSealed(),
      tables: () => this.#tables.records(),
      compression,
      compactor: this.#compactor,
    });
    this.#memory = new StoreMemory({
      environment,
      operatorUid,
      keys: this.#keys,
      log: this.#log,
      cold: this.#cold,
      budget: this.#budget,
      heldBytes: () => this.#tables.heldBytes(),
      persist: (segment) => this.#writer.persist(segment),
      fail: options.fail ?? (() => {}),
    });
    if (options.metrics !== undefined) this.#addMetrics(options.metrics, figures);
    if (!isComplete && options.hydrate !== false) {
      environment.scheduler.defer(() => this.#startHydration());
    }
  }

  states<S extends StateDescriptors>(descriptors: S): StateHandles<S> {
    const handles: Record<string, unknown> = {};
    for (const [name, descriptor] of Object.entries(descriptors)) {
      const { version = 1, migrate } = descriptor.options;
      const spec = { name, kind: descriptor.kind, order: 'key', version, migrate } as const;
      const declared = declareState(descriptor, {
        table: this.#tables.declare(spec),
        keys: this.#keys,
        log: this.#log,
        cold: this.#cold,
        clock: this.#options.environment.clock,
        onStore: this.#options.freezeValues === true ? deepFreeze : null,
      });
      handles[name] = declared.handle;
      this.#states.set(name, declared);
      this.#counters.push(declared.liveCount);
    }
    return handles as StateHandles<S>; // `declareState` makes the handle of each kind
  }

  table<V>(spec: EntryTableSpec<V>): EntryTable<V> {
    const { name, kind, order, version = 1, migrate } = spec;
    const declared = this.#tables.declare({ name, kind, order, version, migrate });
    const stored = { take: () => this.#storedEntries(declared) };
    const table = new DirtyTable<V>(declared, this.#log, stored);
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
    const state = this.#states.get(stateName);
    assert(state !== undefined, () => `state "${stateName}" is declared`);
    visitKeys(this.#keySource(), state, visit, () => this.#budget.relieve());
  }

  isEmpty(): boolean {
    if (this.#counters.some((count) => count() > 0)) return false;
    if (this.#keys.isComplete) return true;
    return ![...this.#states.values()].some((state) => holdsStored(this.#keySource(), state));
  }

  freeze(): FrozenState {
    return this.#log.freeze();
  }

  async persist(frozen: FrozenState, _kind: SnapshotKind): Promise<KeyedStateSnapshot> {
    const runs = await this.#writer.persist(asSegment(frozen));
    return { keyGroups: this.keyGroupRange, tables: this.#tables.descriptions(), runs };
  }

  discard(frozen: FrozenState): void {
    this.#log.discard(asSegment(frozen));
  }

  close(): void {
    this.#isClosed = true;
    this.#compactor.close();
    this.#writer.close();
    this.#memory.close();
    this.#cold.cold.close();
  }

  #addMetrics(metrics: MetricGroup, figures: ColdFigures): void {
    metrics.gauge('stateBytes', () => this.#memory.residentBytes());
    metrics.gauge('stateKeys', () => this.#keys.used);
    metrics.gauge('stateEvictions', () => this.#keys.evictions);
    metrics.gauge('stateSpills', () => this.#memory.spills);
    metrics.gauge('stateReads', () => this.#cold.counts.reads);
    metrics.gauge('stateReadsFound', () => this.#cold.counts.hits);
    metrics.gauge('stateBlockingReads', () => figures.blockingReads);
    metrics.gauge('stateBlockingReadBytes', () => figures.blockingBytes);
    metrics.gauge('stateReadsFiltered', () => figures.filtered);
  }

  #keySource(): { keyGroupRange: KeyGroupRange; keys: KeySlots; cold: EntryReader } {
    return { keyGroupRange: this.keyGroupRange, keys: this.#keys, cold: this.#cold };
  }

  *#storedEntries(table: DeclaredTable): Iterable<StoredRecord> {
    if (this.#cold.cold.isEmpty) return;
    const { first, last } = this.keyGroupRange;
    for (let keyGroup = first; keyGroup <= last; keyGroup++) {
      const records = this.#cold.range(table, keyGroup);
      for (let record = records.next(); record !== null; record = records.next()) yield record;
    }
  }

  // One turn after the restore: by then all states are declared.
  #startHydration(): void {
    if (this.#isClosed || !this.#hasRoomForAll()) return;
    this.#hydration = new Hydration({
      states: [...this.#states.values()],
      keyGroupRange: this.keyGroupRange,
      keys: this.#keys,
      cold: this.#cold,
      runs: this.#runs,
      clock: this.#options.environment.clock,
    });
    this.#hydrate();
  }

  #hydrate(): void {
    if (this.#isClosed || this.#hydration === null) return;
    const { clock, scheduler, logger } = this.#options.environment;
    try {
      const done = this.#hydration.step(clock.monotonicMs() + HYDRATION_SLICE_MS);
      if (done === 'more') scheduler.defer(() => this.#hydrate());
      else this.#hydration = null;
    } catch (error) {
      // Whoever needs the entry gets the same error, and can say for which record.
      this.#hydration = null;
      const { operatorUid } = this.#options;
      logger.log('warn', 'state cannot be loaded in the background', {
        operatorUid,
        error: messageOf(error),
      });
    }
  }

  #hasRoomForAll(): boolean {
    let bytes = 0;
    for (const { length, entries } of this.#runs.newestFirst) {
      bytes += length * HEAP_PER_RUN_BYTE + entries * HEAP_PER_ENTRY;
    }
    return this.#budget.residentBytes + bytes <= this.#budget.limitBytes * HYDRATED_SHARE;
  }
}

function asSegment(frozen: FrozenState): Segment {
  assert(frozen instanceof Segment, 'a frozen state comes from the freeze of this store');
  return frozen;
}
