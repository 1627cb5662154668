import { assert } from '../base/assert.ts';
import type { Key } from '../element/key.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { Entry, EntryTable, SubKey } from './entry-table.ts';
import type { StateTable } from './state-table.ts';
import { StoredEntry } from './stored-entry.ts';

/** An `EntryTable` over the dirty log. */
export class DirtyTable<V> implements EntryTable<V> {
  readonly table: StateTable;
  /** Entries that are live, expired or not. */
  liveCount = 0;
  readonly #log: DirtyLog;
  readonly #restore: (accept: (entry: StoredEntry<V>) => void) => void;

  /** @param restore gives the restored entries, once */
  constructor(
    table: StateTable,
    log: DirtyLog,
    restore: (accept: (entry: StoredEntry<V>) => void) => void,
  ) {
    this.table = table;
    this.#log = log;
    this.#restore = restore;
  }

  create(
    key: Key,
    keyGroup: number,
    sub: SubKey,
    value: V,
    expiresAtMs = Number.POSITIVE_INFINITY,
  ): Entry<V> {
    return this.createRanked(key, keyGroup, sub, value, expiresAtMs, 0);
  }

  /** The same with a place in the order of insertion, for map state. */
  createRanked(
    key: Key,
    keyGroup: number,
    sub: SubKey,
    value: V,
    expiresAtMs: number,
    rank: number,
  ): StoredEntry<V> {
    const { epoch } = this.#log;
    const sequence = this.#log.nextSequence();
    const { table } = this;
    const entry = new StoredEntry(
      table,
      key,
      keyGroup,
      sub,
      value,
      expiresAtMs,
      rank,
      epoch,
      sequence,
    );
    this.#log.listEntry(entry);
    this.liveCount++;
    return entry;
  }

  write(entry: Entry<V>): void {
    const stored = entry as StoredEntry<V>;
    assert(!stored.isGone, 'an entry is not written after it was removed');
    if (stored.epoch < this.#log.openLow) this.#markDirty(stored);
  }

  /** Before a value is shown to code that might change it. Cost: O(1) unless just frozen. */
  touch(entry: StoredEntry<V>): void {
    if (entry.epoch > 0 && entry.epoch < this.#log.openLow) this.#log.encodeEntry(entry);
  }

  remove(entry: Entry<V>): void {
    const stored = entry as StoredEntry<V>;
    if (stored.isGone) return;
    if (stored.epoch < this.#log.openLow) {
      this.touch(stored);
      if (stored.isKnown) this.#markDirty(stored);
    } else if (!stored.isKnown) {
      stored.epoch = 0;
      this.#log.noteDeadEntry();
    }
    stored.isGone = true;
    this.liveCount--;
  }

  restored(accept: (entry: Entry<V>) => void): void {
    this.restoreStored(accept);
  }

  /** The same with the store's own view of the entries. */
  restoreStored(accept: (entry: StoredEntry<V>) => void): void {
    this.#restore((entry) => {
      this.liveCount++;
      accept(entry);
    });
  }

  #markDirty(entry: StoredEntry<V>): void {
    this.touch(entry);
    entry.epoch = this.#log.epoch;
    entry.sequence = this.#log.nextSequence();
    this.#log.listEntry(entry);
  }
}
