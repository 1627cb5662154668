/** What happens to a job's checkpoints when it is cancelled or stops. */
export type CheckpointRetention = 'retain-on-cancellation' | 'delete-on-cancellation' | 'none';

/** Flink's checkpoint options, with Flink's meaning. Times in milliseconds. */
export interface CheckpointOptions {
  /** A path or URL; the job's own directory is made in it. */
  readonly directory: string;
  /** Between two triggers. Default 10 000. */
  readonly intervalMs?: number;
  /** Default `exactly-once`. */
  readonly mode?: 'exactly-once' | 'at-least-once';
  /** A checkpoint that takes longer is aborted. Default 600 000. */
  readonly timeoutMs?: number;
  /** From the completion of one to the trigger of the next. Default 0. */
  readonly minPauseMs?: number;
  /** Pending at the same time. Default 1. */
  readonly maxConcurrent?: number;
  /** Failed in a row before the job fails. Default 0. */
  readonly tolerableFailures?: number;
  /** Default `retain-on-cancellation`. */
  readonly retention?: CheckpointRetention;
  /** Complete checkpoints kept. Default 1. */
  readonly numRetained?: number;
}
