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
 * from the storage itself.
 *
 * Errors: CorruptRunError, UnknownRunVersionError, and what the storage throws.
 */
export interface ColdState {
  /** Shapes of everything read so far; grows. Shared with the encoder of the store. */
  readonly shapes: ShapeTable;

  /** No run at all: nothing is ever found. O(1). */
  readonly isEmpty: boolean;

  /** Bytes in use now by directories and cached blocks; part of the memory budget. */
  readonly residentBytes: number;

  /** Entries of all runs of all owned key groups: an upper bound of what there is. */
  readonly entryBound: number;

  /** All tables that any live run names, for the owned key groups; newest description. */
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
   * tombstones left out. For a prefix of exactly (table, key) of a table of order `key` the filters
   * are asked first.
   */
  scan(keyGroup: number, prefix: Uint8Array): ColdCursor;

  /**
   * Reads, beside other turns, the blocks that `find` of these keys and `scan` of these prefixes
   * would block for: in parallel, sorted by place. They stay cached until `release`.
   *
   * @returns null if all is there already
   */
  prefetch(wanted: readonly ColdAddress[]): Promise<void> | null;
  /** What was prefetched may be dropped. */
  release(): void;

  /** No later call. */
  close(): void;
}

/** Something to look for. */
export interface ColdAddress {
  readonly keyGroup: number;
  /** A whole key, or a prefix. */
  readonly key: Uint8Array;
  readonly isPrefix: boolean;
}

/** An entry of a run, not decoded. Valid until the next call of the same `ColdState`. */
export interface ColdEntry {
  readonly keyGroup: number;
  readonly key: Uint8Array;
  readonly flags: number;
  /** Stands before the body. */
  readonly body: ByteReader;
  /** For messages. */
  readonly file: string;
  readonly fileOffset: number;
}

/** Walks entries in order; reads blocks when it comes to them. */
export interface ColdCursor {
  /** The next entry, or null at the end. */
  next(): ColdEntry | null;
}
