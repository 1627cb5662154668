import type { Attempt, CheckpointBarrier, CheckpointId } from '../element/element.ts';
import type { Json, SubtaskSnapshot } from '../state/snapshot.ts';

/** A parallel copy of a vertex: `vertexId#subtaskIndex`. */
export type SubtaskId = string;

/** @returns the id of one subtask of a vertex */
export function subtaskId(vertexId: string, subtaskIndex: number): SubtaskId {
  return `${vertexId}#${subtaskIndex}`;
}

// Between coordinator and tasks. Each message carries the attempt it belongs to: a late one of a
// dead attempt must change nothing (an old acknowledgement could otherwise complete a new
// checkpoint with a state that was never part of it).

/** From the coordinator. Delivered to a task in order with its other control messages. */
export type ToTask =
  | { readonly kind: 'triggerCheckpoint'; readonly barrier: CheckpointBarrier }
  | {
      readonly kind: 'checkpointComplete';
      readonly attempt: Attempt;
      readonly checkpointId: CheckpointId;
    }
  | {
      readonly kind: 'checkpointAborted';
      readonly attempt: Attempt;
      readonly checkpointId: CheckpointId;
    };

/** Why a checkpoint did not complete. */
export type AbortReason =
  | 'declined'
  | 'timeout'
  | 'storage-failed'
  | 'subsumed'
  | 'job-failed'
  | 'job-stopped'
  | 'too-many-pending';

/** From a task. */
export type FromTask =
  | {
      readonly kind: 'acknowledge';
      readonly attempt: Attempt;
      readonly subtask: SubtaskId;
      readonly checkpointId: CheckpointId;
      readonly snapshot: SubtaskSnapshot;
      /** From the first barrier's arrival to alignment; 0 with one input. */
      readonly alignmentMs: number;
      /** Length of the synchronous part. */
      readonly freezeMs: number;
    }
  | {
      readonly kind: 'decline';
      readonly attempt: Attempt;
      readonly subtask: SubtaskId;
      readonly checkpointId: CheckpointId;
      readonly reason: string;
    };

/**
 * What the coordinator's driver needs of the host. Implemented by the embedded host for an attempt;
 * a new attempt is a new gateway.
 */
export interface TaskGateway {
  readonly attempt: Attempt;
  /** Everyone who must acknowledge. */
  readonly subtasks: readonly SubtaskId[];
  /**
   * In one turn: takes the state of all enumerators and puts the barrier behind whatever was sent
   * to the readers before.
   *
   * @returns enumerator states (tagged JSON) by source uid
   */
  trigger(barrier: CheckpointBarrier): Readonly<Record<string, Json>>;
  notifyComplete(checkpointId: CheckpointId): void;
  notifyAborted(checkpointId: CheckpointId): void;
  /** Too many checkpoints failed, the job was fenced, ...: the attempt must end. */
  fail(error: unknown): void;
}
