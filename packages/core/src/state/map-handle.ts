import { type Key, keyIdentity } from '../element/key.ts';
import type { DeepReadonly, MapState } from './descriptors.ts';
import type { MapCell, MapColumn } from './map-column.ts';
import type { StoredEntry } from './stored-entry.ts';
import { SWEEP_PER_WRITE, type TtlClock } from './ttl-clock.ts';
import type { OnStore } from './value-handles.ts';

/** Map state: each entry is stored by itself, with its place in the order of insertion. */
export class MapHandle<K extends Key, V> implements MapState<K, V> {
  readonly #column: MapColumn<V>;
  readonly #ttl: TtlClock | null;
  readonly #onStore: OnStore | null;
  /** Where the sweep for expired entries stands. */
  #swept: { cell: MapCell<V>; entries: MapIterator<StoredEntry<V> | null> } | null = null;

  constructor(column: MapColumn<V>, ttl: TtlClock | null, onStore: OnStore | null) {
    this.#column = column;
    this.#ttl = ttl;
    this.#onStore = onStore;
  }

  get(key: K): DeepReadonly<V> | undefined {
    const cell = this.#column.current();
    if (cell === undefined) return undefined;
    const entry = this.#column.find(cell, keyIdentity(key), key);
    if (entry === undefined) return undefined;
    return this.#access(cell, entry) ? (entry.value as DeepReadonly<V>) : undefined;
  }

  set(key: K, value: V): void {
    if (this.#onStore !== null) this.#onStore(value);
    const identity = keyIdentity(key);
    const column = this.#column;
    const cell =
      column.current() ?? column.place((slot) => ({ slot, entries: new Map(), isWhole: true }));
    const expiresAtMs = this.#ttl?.expiry() ?? Number.POSITIVE_INFINITY;
    const entry = column.find(cell, identity, key);
    if (entry === undefined) {
      column.create(cell, identity, key, value, expiresAtMs);
    } else {
      column.table.replace(entry, value);
      column.noteChange(cell.slot);
      entry.expiresAtMs = expiresAtMs;
    }
    if (this.#ttl?.sweeps === true) this.#sweep(this.#ttl);
  }

  has(key: K): boolean {
    const cell = this.#column.current();
    if (cell === undefined) return false;
    const entry = this.#column.find(cell, keyIdentity(key), key);
    return entry !== undefined && this.#access(cell, entry);
  }

  delete(key: K): void {
    const cell = this.#column.current();
    if (cell === undefined) return;
    const entry = this.#column.find(cell, keyIdentity(key), key);
    if (entry !== undefined) this.#column.end(cell, entry);
  }

  entries(): Iterable<readonly [K, DeepReadonly<V>]> {
    return this.#iterate((entry) => [entry.sub as K, entry.value as DeepReadonly<V>]);
  }

  keys(): Iterable<K> {
    return this.#iterate((entry) => entry.sub as K);
  }

  values(): Iterable<DeepReadonly<V>> {
    return this.#iterate((entry) => entry.value as DeepReadonly<V>);
  }

  /** As on Flink, an expired entry counts until somebody touches it. */
  isEmpty(): boolean {
    const cell = this.#column.current();
    return cell === undefined || !this.#column.hasAny(cell);
  }

  clear(): void {
    const cell = this.#column.current();
    if (cell !== undefined) this.#column.endAll(cell);
  }

  // Bound to the key that is current now, also if it is consumed when another one is.
  #iterate<R>(show: (entry: StoredEntry<V>) => R): Iterable<R> {
    const cell = this.#column.current();
    if (cell === undefined) return [];
    this.#column.complete(cell);
    return {
      [Symbol.iterator]: () => {
        const entries = cell.entries.values();
        return {
          next: (): IteratorResult<R, undefined> => {
            for (;;) {
              const { done, value: entry } = entries.next();
              if (done) return { done: true, value: undefined };
              if (entry === null || entry.isGone) continue;
              if (this.#access(cell, entry)) return { done: false, value: show(entry) };
            }
          },
        };
      },
    };
  }

  #sweep(ttl: TtlClock): void {
    for (let i = 0; i < SWEEP_PER_WRITE; i++) {
      const entry = this.#swept?.entries.next();
      if (this.#swept === null || entry === undefined || entry.done === true) {
        const cell = this.#column.nextInRound();
        this.#swept = cell === undefined ? null : { cell, entries: cell.entries.values() };
      } else if (entry.value !== null && this.#isExpiredNow(entry.value, ttl)) {
        this.#column.end(this.#swept.cell, entry.value);
      }
    }
  }

  /** Applies time to live. @returns whether the entry may be shown */
  #access(cell: MapCell<V>, entry: StoredEntry<V>): boolean {
    this.#column.table.touch(entry);
    const ttl = this.#ttl;
    if (ttl === null) return true;
    if (ttl.isExpired(entry.expiresAtMs)) {
      this.#column.end(cell, entry);
      return ttl.showsExpired;
    }
    if (ttl.restampsOnRead) {
      this.#column.table.write(entry);
      this.#column.noteChange(cell.slot);
      entry.expiresAtMs = ttl.expiry();
    }
    return true;
  }

  #isExpiredNow(entry: StoredEntry<V>, ttl: TtlClock): boolean {
    return !entry.isGone && ttl.isExpired(entry.expiresAtMs);
  }
}
