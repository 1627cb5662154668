import { type Key, type KeyIdentity, keyIdentity } from '../element/key.ts';
import { type Cell, CellColumn } from './cell-column.ts';
import type { EntryReader, StoredRecord } from './entry-reader.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { DirtyTable } from './dirty-table.ts';
import { ABSENT, COLD, type KeySlots } from './key-slots.ts';
import type { StoredEntry } from './stored-entry.ts';

// The entries of one key's map.
//
//                evictParts, hydration not over                 complete
//   whole <------------------------------------> partial ------------------> whole
//
// M1. A whole cell holds exactly the live entries, in the order of their ranks.
// M2. A partial cell holds what is known: live entries in any order, entries that are gone (until
//     their end is sealed), and null for what was looked up and is not there. Of what it does not
//     hold, the runs know.
// M3. Ranks are given out once per table, above all that are stored: what is new comes last
//     without reading the rest of the map.

/** The entries of one key's map that are in memory. */
export interface MapCell<V> extends Cell {
  readonly entries: Map<KeyIdentity, StoredEntry<V> | null>;
  isWhole: boolean;
}

/** What `evictParts` looks at in one call. */
const PARTS_PER_LOOK = 512;
/** What a remembered absence takes. */
const NEGATIVE_BYTES = 64;

/** The maps of all keys; each may be in memory in parts. */
export class MapColumn<V> extends CellColumn<MapCell<V>, V> {
  #nextRank: number;
  /** Where the eviction stands in a large cell. */
  #parts: { cell: MapCell<V>; entries: MapIterator<[KeyIdentity, StoredEntry<V> | null]> } | null =
    null;

  constructor(keys: KeySlots, table: DirtyTable<V>, log: DirtyLog, cold: EntryReader) {
    super(keys, table, log, cold);
    this.#nextRank = cold.maxRank(table.table) + 1;
  }

  /** The live entry of that name. Reads it if it is not in memory. */
  find(cell: MapCell<V>, identity: KeyIdentity, sub: Key): StoredEntry<V> | undefined {
    const entry = cell.entries.get(identity);
    if (entry === undefined) return cell.isWhole ? undefined : this.#lookUp(cell, identity, sub);
    if (entry === null || entry.isGone) return undefined;
    entry.isUsed = true;
    return entry;
  }

  /** Precondition: `find` finds nothing. */
  create(cell: MapCell<V>, identity: KeyIdentity, sub: Key, value: V, expiresAtMs: number): void {
    const { slot, entries } = cell;
    this.noteChange(slot);
    if (!cell.isWhole && entries.has(identity)) this.#forgetAbsence(cell, identity);
    const key = this.keys.keys[slot]!;
    const keyGroup = this.keys.keyGroups[slot]!;
    const rank = this.#nextRank++;
    entries.set(identity, this.table.createRanked(key, keyGroup, sub, value, expiresAtMs, rank));
  }

  /** Ends a live entry. */
  end(cell: MapCell<V>, entry: StoredEntry<V>): void {
    const identity = keyIdentity(entry.sub as Key);
    this.remove(cell, entry);
    if (cell.isWhole) cell.entries.delete(identity);
    else this.table.table.sizes.held += NEGATIVE_BYTES; // M2: it stays
    if (cell.entries.size === 0) this.dropIfWhole(cell);
  }

  /** Ends all entries. */
  endAll(cell: MapCell<V>): void {
    this.complete(cell);
    for (const entry of cell.entries.values()) this.remove(cell, entry!);
    cell.entries.clear();
    this.dropIfWhole(cell);
  }

  /** Reads what is not in memory, so that the cell is whole. It may be dropped for being empty. */
  complete(cell: MapCell<V>): void {
    if (cell.isWhole) return;
    const { slot } = cell;
    const records = this.cold.scan(
      this.table.table,
      this.keys.keyGroups[slot]!,
      this.keys.keys[slot]!,
    );
    const found: StoredRecord[] = [];
    for (let record = records.next(); record !== null; record = records.next()) found.push(record);
    this.#completeWith(cell, found);
  }

  /** Whether the map has an entry, expired or not; stops reading at the first one. */
  hasAny(cell: MapCell<V>): boolean {
    for (const entry of cell.entries.values()) if (entry !== null && !entry.isGone) return true;
    if (cell.isWhole) return false;
    const { slot } = cell;
    const records = this.cold.scan(
      this.table.table,
      this.keys.keyGroups[slot]!,
      this.keys.keys[slot]!,
    );
    for (let record = records.next(); record !== null; record = records.next()) {
      if (!cell.entries.has(keyIdentity(record.sub as Key))) return true;
    }
    this.#completeWith(cell, []);
    return false;
  }

  /** Whether it is not known what the runs hold under that name. */
  lacks(slot: number, sub: Key): boolean {
    const cell = this.values[slot];
    if (typeof cell !== 'object') return cell === COLD;
    const { isWhole, entries } = cell as MapCell<V>;
    return !isWhole && !entries.has(keyIdentity(sub));
  }

  /** Puts in all entries that the runs hold of a slot's key and that it lacks. */
  fill(slot: number, records: readonly StoredRecord[]): void {
    const cell = this.at(slot);
    if (cell !== undefined && !cell.isWhole) this.#completeWith(cell, records);
  }

  /** Gives up entries of a large or busy cell that have not been used since the last look. */
  evictParts(slot: number): void {
    const cell = this.values[slot];
    if (typeof cell !== 'object') return;
    this.#evictSome(cell as MapCell<V>);
  }

  /** A large cell does not go at once: that would take too long. */
  override isSettled(slot: number): boolean {
    const cell = this.values[slot];
    if (typeof cell === 'object' && (cell as MapCell<V>).entries.size >= this.log.largeMap) {
      return false;
    }
    return super.isSettled(slot);
  }

  protected load(slot: number): MapCell<V> | typeof ABSENT {
    return this.keys.isComplete ? ABSENT : { slot, entries: new Map(), isWhole: false };
  }

  protected forget(cell: MapCell<V>): void {
    for (const entry of cell.entries.values()) this.#forgetOne(entry);
    cell.entries.clear();
  }

  protected isPartial(cell: MapCell<V>): boolean {
    return !cell.isWhole;
  }

  #lookUp(cell: MapCell<V>, identity: KeyIdentity, sub: Key): StoredEntry<V> | undefined {
    const { slot } = cell;
    const key = this.keys.keys[slot]!;
    const keyGroup = this.keys.keyGroups[slot]!;
    const stored = this.cold.find(this.table.table, keyGroup, key, sub);
    if (stored === null) {
      cell.entries.set(identity, null);
      this.table.table.sizes.held += NEGATIVE_BYTES;
      return undefined;
    }
    const entry = this.table.adopt({ ...stored, key, keyGroup, sub });
    if (stored.isMigrated) this.noteChange(slot);
    cell.entries.set(identity, entry);
    return entry;
  }

  #completeWith(cell: MapCell<V>, records: readonly StoredRecord[]): void {
    const { entries, slot } = cell;
    const live: StoredEntry<V>[] = [];
    for (const entry of entries.values()) {
      if (entry !== null && !entry.isGone) live.push(entry);
      else this.#forgetOne(entry);
    }
    for (const record of records) {
      if (entries.has(keyIdentity(record.sub as Key))) continue;
      live.push(this.table.adopt(record));
      if (record.isMigrated) this.noteChange(slot);
    }
    live.sort((a, b) => a.rank - b.rank);
    entries.clear();
    for (const entry of live) entries.set(keyIdentity(entry.sub as Key), entry);
    cell.isWhole = true;
    if (live.length === 0) this.dropIfWhole(cell);
  }

  // What is gone is known only here until its end is sealed; a whole cell does not remember it.
  #evictSome(cell: MapCell<V>): void {
    if (cell.entries.size < this.log.largeMap || !this.isEndSettled(cell.slot)) return;
    if (this.#parts?.cell !== cell) this.#parts = { cell, entries: cell.entries.entries() };
    for (let i = 0; i < PARTS_PER_LOOK; i++) {
      const { done, value } = this.#parts.entries.next();
      if (done === true) {
        this.#parts = null;
        return;
      }
      const [identity, entry] = value;
      if (entry?.isUsed === true && !entry.isGone) entry.isUsed = false;
      else if (entry === null || this.table.isSettled(entry)) {
        this.#forgetOne(entry);
        cell.entries.delete(identity);
        cell.isWhole = false;
        this.keys.isComplete = false;
        this.keys.evictions++;
      }
    }
  }

  #forgetAbsence(cell: MapCell<V>, identity: KeyIdentity): void {
    this.#forgetOne(cell.entries.get(identity)!);
    cell.entries.delete(identity); // what is new comes last
  }

  #forgetOne(entry: StoredEntry<V> | null): void {
    if (entry === null || entry.isGone) this.table.table.sizes.held -= NEGATIVE_BYTES;
    else this.table.forget(entry);
  }
}
