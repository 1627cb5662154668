import { type Key, type KeyIdentity, keyIdentity } from '../element/key.ts';
import type { Cell, CellColumn } from './cell-column.ts';
import type { DeepReadonly, MapState } from './descriptors.ts';
import type { StoredEntry } from './stored-entry.ts';
import { SWEEP_PER_WRITE, type TtlClock } from './ttl-clock.ts';
import type { OnStore } from './value-handles.ts';

/** The entries of one key's map, in order of insertion. */
export interface MapCell<V> extends Cell {
  readonly entries: Map<KeyIdentity, StoredEntry<V>>;
  nextRank: number;
}

/** Map state: each entry is stored by itself, with its place in the order of insertion. */
export class MapHandle<K extends Key, V> implements MapState<K, V> {
  readonly #column: CellColumn<MapCell<V>, V>;
  readonly #ttl: TtlClock | null;
  readonly #onStore: OnStore | null;
  /** Where the sweep for expired entries stands. */
  #swept: { cell: MapCell<V>; entries: MapIterator<StoredEntry<V>> } | null = null;

  constructor(column: CellColumn<MapCell<V>, V>, ttl: TtlClock | null, onStore: OnStore | null) {
    this.#column = column;
    this.#ttl = ttl;
    this.#onStore = onStore;
  }

  get(key: K): DeepReadonly<V> | undefined {
    const cell = this.#column.current();
    const entry = cell?.entries.get(keyIdentity(key));
    if (cell === undefined || entry === undefined) return undefined;
    return this.#access(cell, entry) ? (entry.value as DeepReadonly<V>) : undefined;
  }

  set(key: K, value: V): void {
    if (this.#onStore !== null) this.#onStore(value);
    const { keys, table } = this.#column;
    const identity = keyIdentity(key);
    const cell =
      this.#column.current() ??
      this.#column.place((slot) => ({ slot, entries: new Map(), nextRank: 0 }));
    const expiresAtMs = this.#ttl?.expiry() ?? Number.POSITIVE_INFINITY;
    const entry = cell.entries.get(identity);
    if (entry !== undefined) {
      table.write(entry);
      entry.value = value;
      entry.expiresAtMs = expiresAtMs;
      if (this.#ttl?.sweeps === true) this.#sweep(this.#ttl);
      return;
    }
    const owner = keys.currentKey();
    const keyGroup = keys.currentKeyGroup();
    cell.entries.set(
      identity,
      table.createRanked(owner, keyGroup, key, value, expiresAtMs, cell.nextRank++),
    );
    if (this.#ttl?.sweeps === true) this.#sweep(this.#ttl);
  }

  has(key: K): boolean {
    const cell = this.#column.current();
    const entry = cell?.entries.get(keyIdentity(key));
    return cell !== undefined && entry !== undefined && this.#access(cell, entry);
  }

  delete(key: K): void {
    const cell = this.#column.current();
    const entry = cell?.entries.get(keyIdentity(key));
    if (cell !== undefined && entry !== undefined) this.#remove(cell, entry);
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
    return this.#column.current() === undefined;
  }

  clear(): void {
    const cell = this.#column.current();
    if (cell === undefined) return;
    for (const entry of cell.entries.values()) this.#column.table.remove(entry);
    cell.entries.clear();
    this.#column.drop(cell);
  }

  // Bound to the key that is current now, also if it is consumed when another one is.
  #iterate<R>(show: (entry: StoredEntry<V>) => R): Iterable<R> {
    const cell = this.#column.current();
    if (cell === undefined) return [];
    return {
      [Symbol.iterator]: () => {
        const entries = cell.entries.values();
        return {
          next: (): IteratorResult<R, undefined> => {
            for (;;) {
              const { done, value: entry } = entries.next();
              if (done) return { done: true, value: undefined };
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
      } else if (ttl.isExpired(entry.value.expiresAtMs)) {
        this.#remove(this.#swept.cell, entry.value);
      }
    }
  }

  /** Applies time to live. @returns whether the entry may be shown */
  #access(cell: MapCell<V>, entry: StoredEntry<V>): boolean {
    this.#column.table.touch(entry);
    const ttl = this.#ttl;
    if (ttl === null) return true;
    if (ttl.isExpired(entry.expiresAtMs)) {
      this.#remove(cell, entry);
      return ttl.showsExpired;
    }
    if (ttl.restampsOnRead) {
      this.#column.table.write(entry);
      entry.expiresAtMs = ttl.expiry();
    }
    return true;
  }

  #remove(cell: MapCell<V>, entry: StoredEntry<V>): void {
    cell.entries.delete(keyIdentity(entry.sub as K));
    this.#column.table.remove(entry);
    if (cell.entries.size === 0) this.#column.drop(cell);
  }
}
