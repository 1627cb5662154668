import { StreamError } from '../base/errors.ts';

/** A manifest is damaged: its bytes are not those that were written. */
export class CorruptManifestError extends StreamError<{ object: string; problem: string }> {
  static override readonly code = 'CORRUPT_MANIFEST';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** A manifest was written by a version of Millrace that this one does not know. */
export class UnsupportedManifestVersionError extends StreamError<{
  object: string;
  formatVersion: unknown;
}> {
  static override readonly code = 'UNSUPPORTED_MANIFEST_VERSION';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A slot of the log is damaged, or belongs to another job. */
export class CorruptLogError extends StreamError<{ object: string; problem: string }> {
  static override readonly code = 'CORRUPT_CHECKPOINT_LOG';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** The snapshot holds state of an operator that the job does not have. */
export class StateOperatorMissingError extends StreamError<{ operatorUids: readonly string[] }> {
  static override readonly code = 'STATE_OPERATOR_MISSING';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The snapshot holds a table that its operator does not have any more. */
export class StateTableMissingError extends StreamError<{ operatorUid: string; table: string }> {
  static override readonly code = 'STATE_TABLE_MISSING';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A table cannot be read by the job: written by a newer version, or of another kind. */
export class StateTableIncompatibleError extends StreamError<{
  operatorUid: string;
  table: string;
  problem: string;
}> {
  static override readonly code = 'STATE_TABLE_INCOMPATIBLE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The job's maxParallelism differs from that of the snapshot, or is exceeded. */
export class MaxParallelismChangedError extends StreamError<{
  operatorUid: string;
  snapshot: number;
  job: number;
}> {
  static override readonly code = 'MAX_PARALLELISM_CHANGED';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}
