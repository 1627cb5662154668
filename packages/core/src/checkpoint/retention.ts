import type { CheckpointId, SnapshotKind } from '../element/element.ts';
import type { CheckpointRetention } from '../config/checkpoint-options.ts';

/** A complete checkpoint, as far as retention looks at it. */
export interface RetainedCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly snapshotKind: SnapshotKind;
  /** The savepoint or checkpoint that ended the job. */
  readonly isStop: boolean;
}

/**
 * Which complete checkpoints stay and which go. Pure; O(checkpoints).
 *
 * R1. The newest always stays.
 * R2. Savepoints take a place in the list, but the newest checkpoint that is none stays too, even
 *     beyond the limit: later checkpoints are built on it.
 * R3. After a stop there are no later checkpoints: R2 does not hold.
 * R4. A savepoint that goes from the list keeps its own directory, which belongs to the user.
 *
 * @param complete in ascending order of completion, the newest last
 * @param numRetained 1 or more
 */
export function retain<C extends RetainedCheckpoint>(
  complete: readonly C[],
  numRetained: number,
): { readonly retained: readonly C[]; readonly dropped: readonly C[] } {
  const newest = complete.at(-1);
  const base = complete.findLast(({ snapshotKind }) => snapshotKind === 'checkpoint');
  const retained: C[] = [];
  const dropped: C[] = [];
  let left = complete.length;
  for (const checkpoint of complete) {
    const mustStay = checkpoint === newest || (checkpoint === base && !newest?.isStop);
    if (left > numRetained && !mustStay) {
      dropped.push(checkpoint);
      left--;
    } else {
      retained.push(checkpoint);
    }
  }
  return { retained, dropped };
}

/**
 * Whether all checkpoints of a job are deleted when it has ended; Flink's meaning of the option but
 * for `finished`: there the last checkpoint stays by default, so that a job that is started again
 * finds that it has finished and writes nothing twice (Flink's jobs are not started by a
 * supervisor). Savepoints, and a stop's last checkpoint, always stay.
 */
export function discardsAtEnd(
  retention: CheckpointRetention,
  status: 'finished' | 'stopped' | 'cancelled' | 'failed',
): boolean {
  switch (status) {
    case 'stopped':
      return false;
    case 'finished':
    case 'cancelled':
      return retention !== 'retain-on-cancellation';
    case 'failed':
      return retention === 'none';
  }
}
