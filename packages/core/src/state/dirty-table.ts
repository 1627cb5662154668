import { assert } from '../base/assert.ts';
import type { Key } from '../element/key.ts';
import type { StoredRecord } from './entry-reader.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { Entry, EntryTable, SubKey } from './entry-table.ts';
import type { DeclaredTable } from './state-table.ts';
import { StoredEntry } from './stored-entry.ts';

/** What the runs hold of a table whose index its owner keeps. */
export interface StoredTable {
  /** Its entries by key group and then in its order. Once. */
  take(): Iterable<StoredRecord>;
}

/** An `EntryTable` over the dirty log. */
export class DirtyTable<V> implements EntryTable<V> {
  readonly table: DeclaredTable;
  /** Entries that are live, expired or not. */
  liveCount = 0;
  /** Is shown every value of per-key state that comes out of a run. */
  onLoad: ((value: unknown) => void) | null = null;
  readonly #log: DirtyLog;
  readonly #stored: StoredTable | null;

  /** @param stored what is given to the owner of the index; null for per-key state */
  constructor(table: DeclaredTable, log: DirtyLog, stored: StoredTable | null) {
    this.table = table;
    this.#log = log;
    this.#stored = stored;
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
    const { sizes } = table;
    sizes.resize(entry, sizes.ofChangedEntry(value));
    this.#addDirtyBytes(entry.bytes);
    return entry;
  }

  write(entry: Entry<V>): void {
    const stored = entry as StoredEntry<V>;
    assert(!stored.isGone, 'an entry is not written after it was removed');
    if (stored.epoch < this.#log.openLow) this.#markDirty(stored);
  }

  /** Replaces the value, and announces it. */
  replace(entry: StoredEntry<V>, value: V): void {
    const { sizes } = this.table;
    const isFirstChange = entry.epoch < this.#log.openLow;
    this.write(entry);
    entry.value = value;
    if (!isFirstChange && !sizes.wantsLook(value)) return;
    const before = entry.bytes;
    sizes.resize(entry, sizes.ofChangedEntry(value));
    if (entry.bytes > before) this.#addDirtyBytes(entry.bytes - before);
  }

  /** Before a value is shown to code that might change it. Cost: O(1) unless just frozen. */
  touch(entry: StoredEntry<V>): void {
    if (entry.epoch > 0 && entry.epoch < this.#log.openLow) this.#log.encodeEntry(entry);
  }

  /** @returns false if no record of the entry exists anywhere: nobody will miss its end */
  remove(entry: Entry<V>): boolean {
    const stored = entry as StoredEntry<V>;
    if (stored.isGone) return false;
    const isUnwritten = stored.epoch >= this.#log.openLow && !stored.isKnown;
    if (stored.epoch < this.#log.openLow) {
      this.touch(stored);
      if (stored.isKnown) this.#markDirty(stored);
    } else if (!stored.isKnown) {
      stored.epoch = 0;
      this.#log.noteDeadEntry();
    }
    stored.isGone = true;
    this.forget(stored);
    return !isUnwritten;
  }

  /** The entry is not in memory any more; for one that is settled, and by `remove`. */
  forget(entry: StoredEntry<V>): void {
    this.liveCount--;
    this.table.sizes.resize(entry, 0);
  }

  /** Whether the entry as it is can be read from the live runs. */
  isSettled(entry: StoredEntry<V>): boolean {
    return this.#log.isSealed(entry.epoch);
  }

  restored(accept: (entry: Entry<V>) => void): void {
    assert(this.#stored !== null, 'per-key state is read when it is touched');
    for (const record of this.#stored.take()) accept(this.adopt(record));
  }

  /** Makes an entry of what a run holds. */
  adopt(record: StoredRecord): StoredEntry<V> {
    const { key, keyGroup, sub, value, expiresAtMs, rank, encodedBytes, isMigrated } = record;
    const { table } = this;
    const entry = new StoredEntry<V>(
      table,
      key,
      keyGroup,
      sub,
      value as V, // what the table's owner wrote, or its `migrate` made
      expiresAtMs,
      rank,
      0,
      0,
    );
    entry.isKnown = true;
    this.liveCount++;
    table.sizes.resize(entry, table.sizes.ofEncodedEntry(encodedBytes, 0));
    if (isMigrated) this.#markDirty(entry);
    if (this.#stored === null && this.onLoad !== null) this.onLoad(value);
    return entry;
  }

  #markDirty(entry: StoredEntry<V>): void {
    this.touch(entry);
    entry.epoch = this.#log.epoch;
    entry.sequence = this.#log.nextSequence();
    this.#log.listEntry(entry);
    this.#addDirtyBytes(entry.bytes);
  }

  // What an owner's index holds stays in memory, written or not.
  #addDirtyBytes(bytes: number): void {
    if (this.#stored === null) this.#log.addDirtyBytes(bytes);
  }
}
