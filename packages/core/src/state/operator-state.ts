import type { OperatorListSnapshot, Redistribution } from './snapshot.ts';

/** A list of elements that belongs to an operator subtask, not to a key. */
export interface OperatorListState<T> {
  get(): readonly T[];
  update(elements: readonly T[]): void;
  add(element: T): void;
}

/** A map that every subtask holds alike; only broadcast elements may change it. */
export interface BroadcastState<K, V> extends ReadonlyBroadcastState<K, V> {
  set(key: K, value: V): void;
  delete(key: K): void;
  clear(): void;
}

/** Broadcast state as keyed records see it. */
export interface ReadonlyBroadcastState<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  entries(): Iterable<readonly [K, V]>;
  readonly size: number;
}

/** Non-keyed state of one operator subtask. Its values must be encodable as tagged JSON. */
export interface OperatorStateStore {
  /** @param redistribution `split`: dealt out evenly at a rescale; `union`: everyone gets all */
  list<T>(name: string, redistribution: Exclude<Redistribution, 'broadcast'>): OperatorListState<T>;
  broadcast<K, V>(name: string): BroadcastState<K, V>;
  /** An encoded copy, taken in the turn of the barrier. Cost: O(elements). */
  snapshot(): OperatorListSnapshot[];
}
