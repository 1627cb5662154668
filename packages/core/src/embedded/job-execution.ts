import type { StateChange } from '../checkpoint/state-changes.ts';
import type { CompletedCheckpoint } from '../coordinator/completed-checkpoint.ts';
import type { HistogramSummary } from '../metrics/registry.ts';

/** Where a job is in its life. */
export type JobStatus =
  | 'starting'
  | 'running'
  | 'restarting'
  | 'stopping'
  | 'finished'
  | 'stopped'
  | 'cancelled'
  | 'failed';

/** How a job ended. */
export interface JobResult {
  readonly status: 'finished' | 'stopped' | 'cancelled';
  /** The last completed one, from which the job can go on; null if there is none. */
  readonly lastCheckpoint: CompletedCheckpoint | null;
  readonly attempts: number;
  /** Stopped with `drain`: event time has run to its end, so there is nothing to go on with. */
  readonly drained?: true;
}

/** Figures of one operator, summed over its subtasks. */
export interface OperatorMetrics {
  readonly uid: string;
  readonly kind: string;
  readonly parallelism: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Smallest over the subtasks; -Infinity before the first. */
  readonly watermarkMs: number;
  /** Everything else that the operator counts, for example `lateRecordsDropped`. */
  readonly more: Readonly<Record<string, number | HistogramSummary>>;
}

/** What happens in a job's life, for progress displays and logs. */
export type JobEvent =
  | { readonly kind: 'status'; readonly status: JobStatus }
  /** Waits for another process, which owns the job, to be gone (`standby`). */
  | { readonly kind: 'standingBy'; readonly ownerGeneration: number }
  | {
      readonly kind: 'claimed';
      readonly generation: number;
      readonly instanceId: string;
      /** The newest checkpoint that this run goes back behind; null: there is none. */
      readonly leftBehind: number | null;
    }
  | {
      readonly kind: 'restored';
      /** The manifest: what `options.from` named, or a name below the job's directory. */
      readonly from: string;
      readonly checkpointId: number;
      readonly durationMs: number;
      /** All input had been read to its end and handled: the job reads nothing that is new. */
      readonly hadFinished: boolean;
      /** What becomes of state that is not kept as it is; empty after a restart of its own. */
      readonly changes: readonly StateChange[];
    }
  | { readonly kind: 'checkpointCompleted'; readonly checkpoint: CompletedCheckpoint }
  /** All that was restored from there is copied: that snapshot is not needed any more. */
  | { readonly kind: 'snapshotReleased'; readonly directory: string }
  | { readonly kind: 'checkpointAborted'; readonly checkpointId: number; readonly reason: string }
  | {
      readonly kind: 'failure';
      readonly error: unknown;
      /** null: not restarted any more. */
      readonly restartInMs: number | null;
    };

/** A running job. */
export interface JobExecution {
  readonly jobName: string;
  status(): JobStatus;
  /** Resolves at the end; rejects with the error that failed the job for good. */
  readonly done: Promise<JobResult>;
  /** @throws CheckpointAbortedError */
  triggerCheckpoint(): Promise<CompletedCheckpoint>;
  /** @param directory a path or URL; the savepoint's own directory is made in it */
  triggerSavepoint(directory: string): Promise<CompletedCheckpoint>;
  /**
   * Stops reading, takes a last checkpoint (or a savepoint, with a directory), commits, ends.
   * `drain`: event time runs to its end first, so that all windows and timers fire: only for a job
   * that will not go on.
   *
   * @throws what the attempt failed with meanwhile; the job is restarted then and goes on
   */
  stop(options?: {
    readonly drain?: boolean;
    readonly savepointDirectory?: string;
  }): Promise<JobResult>;
  /** Ends at once; what was not committed is not committed. */
  cancel(): Promise<void>;
  metrics(): readonly OperatorMetrics[];
  /** @returns takes the listener away again */
  onEvent(listener: (event: JobEvent) => void): () => void;
  lastCheckpoint(): CompletedCheckpoint | null;
}
