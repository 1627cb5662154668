import type { Key } from '../element/key.ts';

/**
 * The address of an entry below its key: nothing, a window, a time, a map key, a sequence number.
 */
export type SubKey = Key | undefined;

/** What is stored beyond the value; see `EntryTable`. */
export interface EntryTableSpec<V> {
  /** Unique within the operator; the identity of the table in checkpoints. */
  readonly name: string;
  /** What the table is for, as shown by `millrace checkpoints show`. */
  readonly kind:
    | 'value'
    | 'list'
    | 'map'
    | 'reducing'
    | 'aggregating'
    | 'window'
    | 'timer'
    | 'trigger';
  /**
   * Order inside a key group: `key` = (key, sub), `sub` = (sub, key). Timers and windows take
   * `sub`, so that what is due first stands together.
   */
  readonly order: 'key' | 'sub';
  /** Default 1. */
  readonly version?: number;
  readonly migrate?: (old: unknown, oldVersion: number) => V;
}

/**
 * One stored value and its address. The owner of the table keeps entries in whatever index it
 * needs; the store only remembers which of them changed.
 */
export interface Entry<V> {
  readonly key: Key;
  readonly keyGroup: number;
  readonly sub: SubKey;
  /** Change it only after `table.write(entry)`, in the same turn. */
  value: V;
  /** When a TTL makes it worthless; Infinity = never. Change it only after `write`. */
  expiresAtMs: number;
}

/**
 * Persistent entries whose index lives with their owner: windows, sessions, timers, map and list
 * elements.
 *
 *   create --> live --write*--> live --remove--> gone
 *
 * E1. Of one (key, sub) at most one entry is live.
 * E2. `write` comes before every change of `value`, and before `value` is shown to code that may
 *     change it: an entry of a frozen, not yet encoded snapshot is encoded there and then.
 * E3. `restored` is consumed once, before the first `create`.
 */
export interface EntryTable<V> {
  /** Makes a live entry. Precondition (not checked): E1. Cost: O(1), one object. */
  create(key: Key, keyGroup: number, sub: SubKey, value: V, expiresAtMs?: number): Entry<V>;
  /** Announces a change. Cost: O(1); the first time after a freeze it may encode the old value. */
  write(entry: Entry<V>): void;
  /** Ends the entry; later checkpoints do not hold it. */
  remove(entry: Entry<V>): void;
  /** Gives every entry of the restored snapshot, in the order of the table, to its owner. */
  restored(accept: (entry: Entry<V>) => void): void;
}
