import { StreamError } from '../base/errors.ts';
import type { AbortReason } from '../protocol/messages.ts';

/** Another process has taken the job over; this one may neither complete nor commit anything. */
export class JobFencedError extends StreamError<{ location: string; generation: number }> {
  static override readonly code = 'JOB_FENCED';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** A checkpoint or savepoint that somebody waits for did not complete. */
export class CheckpointAbortedError extends StreamError<{
  checkpointId: number | null;
  reason: AbortReason;
}> {
  static override readonly code = 'CHECKPOINT_ABORTED';
  static override readonly domain = 'external';
  static override readonly retry = 'backoff';
}

/** More checkpoints in a row failed than `tolerableFailures` allows. */
export class TooManyCheckpointFailuresError extends StreamError<{
  checkpointId: number;
  reason: AbortReason;
}> {
  static override readonly code = 'TOO_MANY_CHECKPOINT_FAILURES';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** The storage cannot tell two owners apart, so exactly-once cannot be promised. */
export class SingleWriterRequiredError extends StreamError<{ location: string }> {
  static override readonly code = 'SINGLE_WRITER_REQUIRED';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The job already has newer output than the snapshot that was named. */
export class RestoreBehindNewestError extends StreamError<{
  from: string;
  checkpointId: number;
  newestCheckpointId: number;
}> {
  static override readonly code = 'RESTORE_BEHIND_NEWEST';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** What was named to begin from holds no manifest. */
export class SnapshotNotFoundError extends StreamError<{ path: string }> {
  static override readonly code = 'SNAPSHOT_NOT_FOUND';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A run does not hold the bytes that its manifest promises. */
export class CorruptRunError extends StreamError<{ file: string; problem: string }> {
  static override readonly code = 'CORRUPT_RUN_REFERENCE';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** Whoever waited for the copy of a snapshot does not wait any more. */
export class CopyInterruptedError extends StreamError<{ missing: number }> {
  static override readonly code = 'SNAPSHOT_COPY_INTERRUPTED';
  static override readonly domain = 'internal';
  static override readonly retry = 'backoff';
}

/** A process that was replaced has left a manifest of the same id; the next one has another. */
export class ManifestTakenError extends StreamError<{ object: string }> {
  static override readonly code = 'MANIFEST_TAKEN';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}
