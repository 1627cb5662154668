import type { ByteReader } from '../codec/byte-reader.ts';
import type { ShapeTable } from '../codec/shape-table.ts';
import type { TableRecord } from './run-format.ts';

/**
 * What the live runs of a store hold, read on demand: block index, Bloom filter, block cache. It
 * knows nothing of entries that are changed in memory: the hot side asks only for what it does not
 * have itself, and keeps an entry (also a removed one) until its run is live.
 *
 * Keys are bytes as they stand in a run, table id first (see run-format.ts). All methods that are
 * not promises block: they read from the block cache, else from a local copy, else (counted)
 * from the storage itself. Made by `openColdState`.
 *
 * Errors: CorruptRunError, UnknownRunVersionError, and what the storage throws.
 */
export interface ColdState {
  /** Shapes of everything read so far; grows. Shared with the encoder of the store. */
  readonly shapes: ShapeTable;

  /** No run at all: nothing is ever found. O(1). */
  readonly isEmpty: boolean;

  /** Bytes that this state has in the block cache: directories and blocks. */
  readonly residentBytes: number;

  /** Entries of all runs of all owned key groups: an upper bound of what there is. O(runs). */
  readonly entryBound: number;

  /**
   * All tables that any live run names, for the owned key groups; newest description. `maxRank` is
   * the largest rank of any of their map entries, in all live runs; left out if there is none.
   *
   * Cost: reads the footers of all runs; of runs of format 1 every owned section.
   */
  tables(): readonly TableRecord[];

  /**
   * The newest entry of exactly that key. A tombstone counts as null.
   *
   * Cost: per run a probe of its filter (about 100 ns); a miss is 1 % likely to cost a block. A hit
   * costs a binary search in a block, and a read if the block is not cached.
   */
  find(keyGroup: number, key: Uint8Array): ColdEntry | null;

  /**
   * The live entries whose key begins with `prefix`, in ascending order of key, each address once,
   * tombstones left out. `prefix` = exactly (table, key) of a table of order `key`: the filters
   * are asked first, and for most runs nothing is read. Any other prefix: use `range`.
   */
  scan(keyGroup: number, prefix: Uint8Array): ColdCursor;

  /**
   * The same for all keys from `from` (inclusive) up to `to` (exclusive; null = no bound); the
   * filters are not asked. A whole table: from its id to `keyAfter` of its id.
   *
   * A cursor may be held over turns: it goes on with the runs it began with, so it shows the
   * entries of its beginning; if these runs are deleted meanwhile, it goes on with those that hold
   * their entries now, and may then show newer entries behind the place where it stands.
   */
  range(keyGroup: number, from: Uint8Array, to: Uint8Array | null): ColdCursor;

  /**
   * Reads, beside other turns, the blocks that `find` of these keys and `scan` of these prefixes
   * would block for: in parallel, sorted by place. They stay cached until the next `release` after
   * the promise has resolved. What exceeds half of the cache is left out. The bytes of `wanted`
   * must not change until then.
   *
   * @returns null if all is there already; it stays likewise
   */
  prefetch(wanted: readonly ColdAddress[]): Promise<void> | null;
  /** What was prefetched may be dropped. */
  release(): void;

  /** No later call; gives back what it has in the cache. */
  close(): void;
}

/** Something to look for. */
export interface ColdAddress {
  readonly keyGroup: number;
  /** A whole key, or a prefix as `scan` takes it. */
  readonly key: Uint8Array;
  readonly isPrefix: boolean;
}

/** An entry of a run, not decoded. Valid until the next call of the same `ColdState` or cursor. */
export interface ColdEntry {
  readonly keyGroup: number;
  /** A view. */
  readonly key: Uint8Array;
  readonly flags: number;
  /** Stands before the body. */
  readonly body: ByteReader;
  /** For messages. */
  readonly file: string;
  /** Where the block begins that holds it. */
  readonly fileOffset: number;
}

/** Walks entries in order; reads blocks when it comes to them. */
export interface ColdCursor {
  /** The next entry, or null at the end (and ever after). */
  next(): ColdEntry | null;
}

/** The least key after all that begin with `prefix`; null if there is none. */
export function keyAfter(prefix: Uint8Array): Uint8Array | null {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return null;
  const after = new Uint8Array(prefix.subarray(0, length)); // slice of a Buffer is no copy
  after[length - 1]!++;
  return after;
}
