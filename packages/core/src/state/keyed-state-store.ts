import type { KeyGroupRange } from '../element/key-group.ts';
import type { Key } from '../element/key.ts';
import type { SnapshotKind } from '../element/element.ts';
import type { StateDescriptors, StateHandles } from './descriptors.ts';
import type { EntryTable, EntryTableSpec } from './entry-table.ts';
import type { KeyedStateSnapshot } from './snapshot.ts';

/**
 * All keyed state of one operator subtask, for the key groups that it owns.
 *
 * Life: register states and tables -> `load` what was restored -> records. A snapshot is a
 * synchronous `freeze` and an asynchronous `persist`, which may overlap later freezes, may come
 * for several frozen states in a row, and may never come (`discard`).
 */
export interface KeyedStateStore {
  readonly keyGroupRange: KeyGroupRange;
  readonly maxParallelism: number;

  /** Declares per-key states; the handles act on the current key. Before `load`. */
  states<S extends StateDescriptors>(descriptors: S): StateHandles<S>;
  /** Declares a table whose index the caller keeps. Before `load`. */
  table<V>(spec: EntryTableSpec<V>): EntryTable<V>;

  /**
   * Makes `key` the current key; the handles of `states` act on it until the next call.
   * Cost: one hash look-up; the key group is computed when a key is seen for the first time.
   *
   * @throws InvalidKeyError
   */
  setCurrentKey(key: Key): void;
  /** Leaves no key current: touching a state then throws NoCurrentKeyError. */
  clearCurrentKey(): void;
  currentKey(): Key;
  currentKeyGroup(): number;
  /** Visits every key that holds a value of the named state (making it current). Cost: O(keys). */
  forEachKey(stateName: string, visit: (key: Key) => void): void;

  /** Whether no state and no table holds anything, expired or not. For tests of leaks. */
  isEmpty(): boolean;

  /** Cuts: what is changed from here on belongs to the next snapshot. O(states), no encoding. */
  freeze(): FrozenState;
  /**
   * Encodes and writes everything up to and including `frozen`, between other turns.
   *
   * @returns references to runs that together hold the state as it was at `freeze`
   */
  persist(frozen: FrozenState, kind: SnapshotKind): Promise<KeyedStateSnapshot>;
  /** The snapshot was aborted; its changes go into the next one. Idempotent. */
  discard(frozen: FrozenState): void;
  /** No later call; pending persists reject with StateStoreClosedError. */
  close(): void;
}

/** A frozen, not yet persisted snapshot; opaque. */
export interface FrozenState {
  readonly epoch: number;
}
