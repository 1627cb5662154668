import type {
  Entry,
  EntryTable,
  EntryTableSpec,
  FrozenState,
  Key,
  KeyedStateSnapshot,
  KeyedStateStore,
  KeyGroupRange,
  SnapshotKind,
  StateDescriptors,
  StateHandles,
  SubKey,
} from '@millrace/core/host';

/**
 * A keyed state store that counts the live timers of an operator as they pass: they are entries of
 * its tables of kind `timer`, `.../event` and `.../processing`.
 */
export class CountingStateStore implements KeyedStateStore {
  readonly #store: KeyedStateStore;
  readonly #timers = { event: new Set<Entry<unknown>>(), processing: new Set<Entry<unknown>>() };

  constructor(store: KeyedStateStore) {
    this.#store = store;
  }

  get eventTimers(): number {
    return this.#timers.event.size;
  }

  get processingTimers(): number {
    return this.#timers.processing.size;
  }

  /** When the first event-time timer is due; Infinity if there is none. Cost: O(timers). */
  earliestEventTimerMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { sub } of this.#timers.event) {
      const timeMs = (Array.isArray(sub) ? sub[0] : sub) as number;
      if (timeMs < earliest) earliest = timeMs;
    }
    return earliest;
  }

  get keyGroupRange(): KeyGroupRange {
    return this.#store.keyGroupRange;
  }

  get maxParallelism(): number {
    return this.#store.maxParallelism;
  }

  states<S extends StateDescriptors>(descriptors: S): StateHandles<S> {
    return this.#store.states(descriptors);
  }

  table<V>(spec: EntryTableSpec<V>): EntryTable<V> {
    const table = this.#store.table(spec);
    if (spec.kind !== 'timer') return table;
    return countEntries(
      table,
      this.#timers[spec.name.endsWith('processing') ? 'processing' : 'event'],
    );
  }

  setCurrentKey(key: Key): void {
    this.#store.setCurrentKey(key);
  }

  clearCurrentKey(): void {
    this.#store.clearCurrentKey();
  }

  currentKey(): Key {
    return this.#store.currentKey();
  }

  currentKeyGroup(): number {
    return this.#store.currentKeyGroup();
  }

  forEachKey(stateName: string, visit: (key: Key) => void): void {
    this.#store.forEachKey(stateName, visit);
  }

  isEmpty(): boolean {
    return this.#store.isEmpty();
  }

  freeze(): FrozenState {
    return this.#store.freeze();
  }

  persist(frozen: FrozenState, kind: SnapshotKind): Promise<KeyedStateSnapshot> {
    return this.#store.persist(frozen, kind);
  }

  discard(frozen: FrozenState): void {
    this.#store.discard(frozen);
  }

  close(): void {
    this.#store.close();
  }
}

function countEntries<V>(table: EntryTable<V>, live: Set<Entry<unknown>>): EntryTable<V> {
  return {
    create(key: Key, keyGroup: number, sub: SubKey, value: V, expiresAtMs?: number): Entry<V> {
      const entry = table.create(key, keyGroup, sub, value, expiresAtMs);
      live.add(entry);
      return entry;
    },
    write: (entry) => table.write(entry),
    remove: (entry) => {
      live.delete(entry);
      table.remove(entry);
    },
    restored: (accept) =>
      table.restored((entry) => {
        live.add(entry);
        accept(entry);
      }),
  };
}
