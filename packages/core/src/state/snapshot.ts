import type { Json, JsonObject } from '../codec/json.ts';
import type { KeyGroupRange } from '../element/key-group.ts';

export type { Json, JsonObject };

/**
 * A run = sorted entries of one operator, part of an immutable object, or so small that it stands
 * in the reference itself. `file` and `offset` together name it: no two runs have the same.
 */
export interface RunReference {
  /**
   * Name of the object, relative to the job's directory (`shared/...run`). Of a run with `inline`
   * (`inline/...`) and of one in another directory (`foreign/...`) it is no object of the job's.
   */
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** Of the `length` bytes. */
  readonly crc32: number;
  readonly keyGroups: KeyGroupRange;
  readonly entries: number;
  /** All its bytes in base64, if they stand nowhere else; then `offset` is 0. */
  readonly inline?: string;
  /** Keys and bodies of its entries, before compression; format version 1 did not tell. */
  readonly entryBytes?: number;
  /** True: made of older runs, nothing had changed. Left out otherwise. */
  readonly isMerged?: true;
}

/** A table as it was when written; compared with the job's tables before a restore. */
export interface TableDescription {
  readonly name: string;
  readonly kind: string;
  /** What the job declared that wrote it. */
  readonly version: number;
  /**
   * All versions that entries of it may have, ascending; absent: only `version`. Older ones stay
   * until their entry is written again: a merge of runs changes no value.
   */
  readonly versions?: readonly number[];
  /** How often a state of that name was dropped and declared again; part of its id. Default 0. */
  readonly generation?: number;
  /** The job did not declare it any more: what runs hold of it counts for nothing. */
  readonly isDropped?: true;
}

/** What a store begins with; nothing of it has been read. */
export interface KeyedStateRestore {
  readonly tables: readonly TableDescription[];
  /** Newest first. A reference's `keyGroups` say which of its sections count. */
  readonly runs: readonly RunReference[];
}

/** Keyed state of one operator subtask: the newest run first; a newer entry hides an older one. */
export interface KeyedStateSnapshot {
  readonly keyGroups: KeyGroupRange;
  readonly tables: readonly TableDescription[];
  readonly runs: readonly RunReference[];
}

/** How the elements of a list are dealt out when the parallelism changes. */
export type Redistribution = 'split' | 'union' | 'broadcast';

/** Non-keyed state of one operator subtask: elements in the tagged JSON of codec/tagged-json.ts. */
export interface OperatorListSnapshot {
  readonly name: string;
  readonly redistribution: Redistribution;
  readonly elements: readonly Json[];
}

/** Everything that one operator subtask puts into a checkpoint. */
export interface OperatorSnapshot {
  readonly keyed: KeyedStateSnapshot | null;
  readonly lists: readonly OperatorListSnapshot[];
}

/** What a task acknowledges, by operator uid. `finished`: its input had ended and was handled. */
export interface SubtaskSnapshot {
  readonly operators: Readonly<Record<string, OperatorSnapshot>>;
  readonly finished: boolean;
}

/** What a restored operator subtask gets: already cut to its key groups and its share of lists. */
export interface OperatorRestore {
  readonly keyed: KeyedStateRestore | null;
  readonly lists: readonly OperatorListSnapshot[];
}
