// Test support: runs window operators over a store in memory that checks the entry tables' rules.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../../base/environment.ts';
import { type Key, keyIdentity } from '../../element/key.ts';
import { keyGroupOf, keyGroupRangeOf, subtaskOf } from '../../element/key-group.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import { MetricGroup } from '../../metrics/registry.ts';
import type { StateDescriptors, StateHandles } from '../../state/descriptors.ts';
import type { Entry, EntryTable, EntryTableSpec, SubKey } from '../../state/entry-table.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { OperatorListState, OperatorStateStore } from '../../state/operator-state.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';

/** A stored entry of any table. */
export interface StoredEntry {
  readonly table: string;
  readonly key: Key;
  readonly keyGroup: number;
  readonly sub: SubKey;
  readonly value: unknown;
}

/** Everything that a snapshot of an operator (all its subtasks) holds. */
export interface BedSnapshot {
  readonly entries: readonly StoredEntry[];
  readonly lists: ReadonlyMap<string, readonly unknown[]>;
}

const addressOf = (entry: { key: Key; sub: SubKey }): string =>
  JSON.stringify([typeof entry.key, keyIdentity(entry.key), entry.sub ?? null]);

/** A table that fails the test on a second live entry of one address or an unannounced change. */
class CheckedTable implements EntryTable<unknown> {
  readonly live = new Map<string, Entry<unknown>>();
  readonly #saved = new Map<Entry<unknown>, unknown>();
  #restored: readonly StoredEntry[] | null;

  constructor(restored: readonly StoredEntry[]) {
    this.#restored = restored;
  }

  create(key: Key, keyGroup: number, sub: SubKey, value: unknown): Entry<unknown> {
    const entry = { key, keyGroup, sub, value, expiresAtMs: Number.POSITIVE_INFINITY };
    assert.ok(!this.live.has(addressOf(entry)), `E1: ${addressOf(entry)} is live already`);
    this.live.set(addressOf(entry), entry);
    return entry;
  }

  write(entry: Entry<unknown>): void {
    assert.equal(this.live.get(addressOf(entry)), entry, 'write of a live entry');
    this.#saved.delete(entry);
  }

  remove(entry: Entry<unknown>): void {
    assert.equal(this.live.get(addressOf(entry)), entry, 'remove of a live entry');
    this.live.delete(addressOf(entry));
    this.#saved.delete(entry);
  }

  restored(accept: (entry: Entry<unknown>) => void): void {
    assert.ok(this.#restored !== null, 'E3: restored once');
    for (const { key, keyGroup, sub, value } of this.#restored) {
      accept(this.create(key, keyGroup, sub, structuredClone(value)));
    }
    this.#restored = null;
  }

  /** Copies of all values; checks E2 for those not announced since the last time. */
  snapshot(name: string): StoredEntry[] {
    return [...this.live.values()].map((entry) => {
      const saved = this.#saved.get(entry);
      if (this.#saved.has(entry)) {
        assert.ok(isDeepStrictEqual(saved, entry.value), `E2: ${name} ${addressOf(entry)}`);
      }
      const value = structuredClone(entry.value);
      this.#saved.set(entry, value);
      return { table: name, key: entry.key, keyGroup: entry.keyGroup, sub: entry.sub, value };
    });
  }
}

class CheckedStore {
  readonly tables = new Map<string, CheckedTable>();
  readonly maxParallelism: number;
  readonly keyGroupRange;
  readonly #restored: readonly StoredEntry[];
  #key: Key | null = null;

  constructor(
    restored: readonly StoredEntry[],
    maxParallelism: number,
    subtaskIndex: number,
    parallelism: number,
  ) {
    this.#restored = restored;
    this.maxParallelism = maxParallelism;
    this.keyGroupRange = keyGroupRangeOf(subtaskIndex, maxParallelism, parallelism);
  }

  table(spec: EntryTableSpec<unknown>): CheckedTable {
    const { first, last } = this.keyGroupRange;
    const mine = this.#restored.filter(
      (entry) => entry.table === spec.name && entry.keyGroup >= first && entry.keyGroup <= last,
    );
    const table = new CheckedTable(mine);
    this.tables.set(spec.name, table);
    return table;
  }

  // Kind `value` is enough for the window functions of these tests.
  states(descriptors: StateDescriptors): StateHandles<StateDescriptors> {
    const handles: Record<string, unknown> = {};
    for (const [name, { initial }] of Object.entries(descriptors)) {
      const table = this.table({ name, kind: 'value', order: 'key' });
      const entries = new Map<unknown, Entry<unknown>>();
      table.restored((entry) => entries.set(keyIdentity(entry.key), entry));
      handles[name] = {
        get: () => {
          const entry = entries.get(keyIdentity(this.currentKey()));
          return entry === undefined ? initial : entry.value;
        },
        set: (value: unknown) => {
          const entry = entries.get(keyIdentity(this.currentKey()));
          if (entry !== undefined) {
            table.write(entry);
            entry.value = value;
            return;
          }
          const group = this.currentKeyGroup();
          entries.set(
            keyIdentity(this.currentKey()),
            table.create(this.currentKey(), group, undefined, value),
          );
        },
      };
    }
    return handles as StateHandles<StateDescriptors>;
  }

  setCurrentKey(key: Key): void {
    this.#key = key;
  }

  currentKey(): Key {
    assert.ok(this.#key !== null, 'a key is current');
    return this.#key;
  }

  currentKeyGroup(): number {
    return keyGroupOf(this.currentKey(), this.maxParallelism);
  }
}

class ListStore {
  readonly lists = new Map<string, unknown[]>();

  constructor(restored: ReadonlyMap<string, readonly unknown[]>) {
    for (const [name, elements] of restored) this.lists.set(name, [...elements]);
  }

  list(name: string): OperatorListState<unknown> {
    if (!this.lists.has(name)) this.lists.set(name, []);
    return {
      get: () => this.lists.get(name)!,
      update: (elements) => void this.lists.set(name, [...elements]),
      add: (element) => void this.lists.get(name)!.push(element),
    };
  }
}

interface Subtask {
  readonly operator: Operator;
  readonly store: CheckedStore;
  readonly lists: ListStore;
}

/** What an operator put out. */
export interface Emitted {
  readonly value: unknown;
  readonly timestampMs: number;
}

/** All subtasks of one window operator. */
export class WindowBed {
  readonly emitted: Emitted[] = [];
  readonly late: Emitted[] = [];
  readonly metrics = new MetricGroup();
  /** Asked between two keys. */
  shouldYield: () => boolean = () => false;
  nowMs = 0;
  readonly #make: () => Operator;
  readonly #keyOf: (value: unknown) => Key;
  readonly #maxParallelism: number;
  #subtasks: Subtask[] = [];

  constructor(spec: WindowSpec, make: () => Operator, parallelism = 1, maxParallelism = 128) {
    this.#make = make;
    this.#keyOf = spec.keyOf;
    this.#maxParallelism = maxParallelism;
    this.#open({ entries: [], lists: new Map() }, parallelism);
  }

  get dropped(): number {
    return this.metrics.counter('lateRecordsDropped').value;
  }

  record(value: unknown, timestampMs: number): void {
    const group = keyGroupOf(this.#keyOf(value), this.#maxParallelism);
    const at = subtaskOf(group, this.#maxParallelism, this.#subtasks.length);
    this.#subtasks[at]!.operator.process(value, timestampMs);
  }

  watermark(timeMs: number): void {
    for (const { operator } of this.#subtasks) {
      while (operator.onWatermark?.(timeMs) === false);
    }
  }

  clock(timeMs: number): void {
    this.nowMs = timeMs;
    for (const { operator } of this.#subtasks) {
      while (operator.onProcessingTime?.(timeMs) === false);
    }
  }

  snapshot(): BedSnapshot {
    const entries: StoredEntry[] = [];
    const lists = new Map<string, unknown[]>();
    for (const { operator, store, lists: own } of this.#subtasks) {
      operator.snapshot?.(1);
      for (const [name, table] of store.tables) entries.push(...table.snapshot(name));
      for (const [name, elements] of own.lists) {
        lists.set(name, [...(lists.get(name) ?? []), ...elements]);
      }
    }
    return { entries, lists };
  }

  /** Throws everything away and goes on from the snapshot with `parallelism` subtasks. */
  restore(snapshot: BedSnapshot, parallelism: number): void {
    this.#open(snapshot, parallelism);
  }

  /** Number of live entries: of tables of timers, and of all others. */
  live(): { readonly timers: number; readonly state: number } {
    let timers = 0;
    let state = 0;
    for (const { store } of this.#subtasks) {
      for (const [name, table] of store.tables) {
        if (name.startsWith('window-timers')) timers += table.live.size;
        else state += table.live.size;
      }
    }
    return { timers, state };
  }

  #open(snapshot: BedSnapshot, parallelism: number): void {
    this.#subtasks = Array.from({ length: parallelism }, (_, subtaskIndex) => {
      const store = new CheckedStore(
        snapshot.entries,
        this.#maxParallelism,
        subtaskIndex,
        parallelism,
      );
      const lists = new ListStore(snapshot.lists);
      const operator = this.#make();
      operator.open(this.#context(store, lists, subtaskIndex, parallelism));
      return { operator, store, lists };
    });
  }

  #context(
    store: CheckedStore,
    lists: ListStore,
    subtaskIndex: number,
    parallelism: number,
  ): OperatorContext {
    const into = (target: Emitted[]) => ({
      emit: (value: unknown, timestampMs: number) => void target.push({ value, timestampMs }),
    });
    const environment = { clock: { nowMs: () => this.nowMs } } as Environment;
    return {
      operatorUid: 'window',
      subtaskIndex,
      parallelism,
      maxParallelism: this.#maxParallelism,
      attempt: 1,
      environment,
      metrics: this.metrics,
      output: into(this.emitted),
      sideOutput: () => into(this.late),
      keyed: store as unknown as KeyedStateStore,
      operatorState: lists as unknown as OperatorStateStore,
      isRestored: false,
      requestProcessingTime() {},
      forwardWatermark() {},
      wake() {},
      shouldYield: () => this.shouldYield(),
      fail(error) {
        throw error;
      },
    };
  }
}
