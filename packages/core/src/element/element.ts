import type { Batch } from './batch.ts';

/** Checkpoint ids count from 1 per job and are never used twice. */
export type CheckpointId = number;

/** Which run of the job within one process a message belongs to; counts from 1. */
export type Attempt = number;

/** What a snapshot is for. `savepoint` is self-contained: it names no run written before it. */
export type SnapshotKind = 'checkpoint' | 'savepoint';

/** Whether barriers hold back the inputs that are ahead. */
export type CheckpointMode = 'exactly-once' | 'at-least-once';

/** Divides the stream into what a checkpoint holds and what it does not. */
export interface CheckpointBarrier {
  readonly checkpointId: CheckpointId;
  readonly attempt: Attempt;
  readonly snapshotKind: SnapshotKind;
  readonly mode: CheckpointMode;
  /** When the coordinator triggered it; wall clock. */
  readonly triggeredAtMs: number;
}

/**
 * What flows through a channel, in order. After `endOfInput` nothing follows but barriers (a task
 * whose inputs have ended still takes part in checkpoints) and their cancellations.
 */
export type StreamElement =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'watermark'; readonly timeMs: number }
  | { readonly kind: 'watermarkStatus'; readonly idle: boolean }
  | { readonly kind: 'barrier'; readonly barrier: CheckpointBarrier }
  | { readonly kind: 'cancelBarrier'; readonly checkpointId: CheckpointId }
  | { readonly kind: 'endOfInput' };
