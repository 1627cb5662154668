import type { Key } from '../element/key.ts';
import type { Entry, SubKey } from './entry-table.ts';
import type { DeclaredTable } from './state-table.ts';

/** An entry as the store sees it. */
export class StoredEntry<V> implements Entry<V> {
  // What every change of the value touches comes first, so that it is in one cache line: with a
  // thousand keys and more, waiting for a second line costs as much as the look-up.
  value: V;
  /** > 0: changed in that epoch and not encoded; <= 0: clean, last written by segment -epoch. */
  epoch: number;
  isGone = false;
  /** Whether a record of this address with a value exists: only then its end must be written. */
  isKnown = false;
  /** Looked at since the eviction came by. */
  isUsed = true;
  readonly key: Key;
  readonly keyGroup: number;
  readonly table: DeclaredTable;
  readonly sub: SubKey;
  /** Of its last change; see S3 of segment.ts. */
  sequence: number;
  expiresAtMs: number;
  /** Map entries: place in the order of insertion. */
  readonly rank: number;
  /** What it takes in the heap, estimated. */
  bytes = 0;

  constructor(
    table: DeclaredTable,
    key: Key,
    keyGroup: number,
    sub: SubKey,
    value: V,
    expiresAtMs: number,
    rank: number,
    epoch: number,
    sequence: number,
  ) {
    this.table = table;
    this.key = key;
    this.keyGroup = keyGroup;
    this.sub = sub;
    this.value = value;
    this.expiresAtMs = expiresAtMs;
    this.rank = rank;
    this.epoch = epoch;
    this.sequence = sequence;
  }
}
