import type { Attempt, CheckpointId, SnapshotKind } from '../element/element.ts';
import type { AbortReason, SubtaskId } from '../protocol/messages.ts';

/** The options that the step looks at; see config/checkpoint-options.ts. Milliseconds. */
export interface CoordinatorOptions {
  /** Infinity: no periodic checkpoints. */
  readonly intervalMs: number;
  /** From the start of an attempt to its first periodic checkpoint; at least `minPauseMs` pass. */
  readonly startDelayMs: number;
  readonly timeoutMs: number;
  readonly minPauseMs: number;
  readonly maxConcurrent: number;
  readonly tolerableFailures: number;
}

/** Somebody wants a checkpoint. */
export interface CheckpointRequest {
  /** null: the timer; else the caller's own number, for its answer. */
  readonly requestId: number | null;
  readonly snapshotKind: SnapshotKind;
  /** The last one of the job: nothing is triggered after it. */
  readonly stop: boolean;
  readonly requestedAtMs: number;
}

/** A checkpoint that is under way. Drawing: checkpoint-coordinator.ts. */
export interface PendingCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly attempt: Attempt;
  readonly request: CheckpointRequest;
  readonly triggeredAtMs: number;
  readonly phase: 'triggered' | 'acknowledged' | 'storing';
  /** Who has not acknowledged; empty but in phase `triggered`. */
  readonly missing: ReadonlySet<SubtaskId>;
}

/** All that the coordinator knows. Immutable plain data. */
export interface CoordinatorState {
  readonly options: CoordinatorOptions;
  /** null: no attempt runs. */
  readonly attempt: Attempt | null;
  readonly subtasks: readonly SubtaskId[];
  readonly nextCheckpointId: CheckpointId;
  /** Infinity: not scheduled. */
  readonly nextPeriodicAtMs: number;
  /** -Infinity before the first. */
  readonly lastCompletedAtMs: number;
  /** The greatest; 0 before the first. */
  readonly lastCompletedId: CheckpointId;
  readonly consecutiveFailures: number;
  /** A stop was requested: nothing else is triggered. */
  readonly isStopping: boolean;
  /** In ascending order of id. */
  readonly pending: readonly PendingCheckpoint[];
  /** In order of urgency. */
  readonly queue: readonly CheckpointRequest[];
}

/** What can happen to the coordinator. */
export type CoordinatorEvent =
  /** An attempt runs: everyone is ready for barriers. */
  | { readonly kind: 'start'; readonly attempt: Attempt; readonly subtasks: readonly SubtaskId[] }
  /** The attempt is over; nobody answers any more. */
  | { readonly kind: 'end'; readonly reason: 'job-failed' | 'job-stopped' }
  /** Time has passed (`nextWakeMs`). */
  | { readonly kind: 'tick' }
  | {
      readonly kind: 'request';
      readonly requestId: number;
      readonly snapshotKind: SnapshotKind;
      readonly stop: boolean;
    }
  | {
      readonly kind: 'acknowledge';
      readonly attempt: Attempt;
      readonly checkpointId: CheckpointId;
      readonly subtask: SubtaskId;
    }
  | {
      readonly kind: 'decline';
      readonly attempt: Attempt;
      readonly checkpointId: CheckpointId;
      readonly subtask: SubtaskId;
      readonly reason: string;
    }
  /** Answers to the command `store`. */
  | { readonly kind: 'stored'; readonly checkpointId: CheckpointId }
  | {
      readonly kind: 'storeFailed';
      readonly checkpointId: CheckpointId;
      readonly reason: string;
      /** Nothing is wrong with job and storage, and the next one will succeed: does not count. */
      readonly isHarmless?: boolean;
    };

/** What the driver must do, in order. */
export type CoordinatorCommand =
  /** Sources inject the barrier. */
  | {
      readonly kind: 'trigger';
      readonly checkpointId: CheckpointId;
      readonly attempt: Attempt;
      readonly request: CheckpointRequest;
    }
  /** Make it durable: then `stored`, or `storeFailed` only if it certainly is not complete. */
  | { readonly kind: 'store'; readonly checkpointId: CheckpointId }
  /** It is complete: retention, answer to the request. */
  | {
      readonly kind: 'complete';
      readonly checkpointId: CheckpointId;
      readonly request: CheckpointRequest;
    }
  /** Tell all tasks, so that sinks commit. */
  | { readonly kind: 'notifyComplete'; readonly checkpointId: CheckpointId }
  /** It will never complete: tell all tasks, delete its files, answer the request. */
  | {
      readonly kind: 'abort';
      readonly checkpointId: CheckpointId;
      readonly request: CheckpointRequest;
      readonly reason: AbortReason;
      /** What the one who caused it said, for messages; '' if there is nothing to say. */
      readonly detail: string;
    }
  /** A request that was never triggered gets its answer. */
  | {
      readonly kind: 'reject';
      readonly request: CheckpointRequest;
      readonly reason: AbortReason;
    }
  /** Too many failures in a row, or a stop that could not take its last checkpoint. */
  | {
      readonly kind: 'failJob';
      readonly checkpointId: CheckpointId;
      readonly reason: AbortReason;
      readonly detail: string;
    };

/** @param firstCheckpointId greater than every id ever used by the job */
export function initialCoordinatorState(
  options: CoordinatorOptions,
  firstCheckpointId: CheckpointId,
): CoordinatorState {
  return {
    options,
    attempt: null,
    subtasks: [],
    nextCheckpointId: firstCheckpointId,
    nextPeriodicAtMs: Number.POSITIVE_INFINITY,
    lastCompletedAtMs: Number.NEGATIVE_INFINITY,
    lastCompletedId: 0,
    consecutiveFailures: 0,
    isStopping: false,
    pending: [],
    queue: [],
  };
}

/** When the next `tick` is due; Infinity if nothing is. Cost: O(pending). */
export function nextWakeMs(state: CoordinatorState): number {
  let wakeMs = state.nextPeriodicAtMs;
  for (const { phase, triggeredAtMs } of state.pending) {
    if (phase === 'triggered') wakeMs = Math.min(wakeMs, triggeredAtMs + state.options.timeoutMs);
  }
  return wakeMs;
}
