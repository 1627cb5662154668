import type { CheckpointId } from '../../element/element.ts';
import type { CommitOutcome } from '../../function/sink.ts';

// The committables of one sink subtask, by checkpoint:
//
//   added --checkpoint completes--> due --commit--> confirmed (forgotten)
//     |                              ^  |
//     | its checkpoint is aborted    |  +-- retryLater, at most maxRetries times
//     +--------- stays: the next ----+  +-- rejected: dropped and counted
//                one completes it       +-- failed, outcome unknown, no retry left: the job fails
//
// X1. A committable leaves only when its commit is confirmed or rejected; until then it is in every
//     snapshot, so that a restored job commits it again.
// X2. Checkpoints are committed oldest first, one call per checkpoint, never two at a time.
// X3. An abort throws nothing away: the data belongs to the next checkpoint that completes.

/** What was written up to one checkpoint. */
export interface CommitBundle {
  readonly checkpointId: CheckpointId;
  readonly committables: readonly unknown[];
  /** Commits tried so far. */
  readonly tries: number;
}

/** Plain data, immutable. */
export interface CommitterState {
  /** In ascending order of checkpoint. */
  readonly bundles: readonly CommitBundle[];
  /** The greatest checkpoint known to be complete. */
  readonly completedId: CheckpointId;
  readonly maxRetries: number;
}

/** @param maxRetries calls after the first one, for committables that ask for it */
export function initialCommitterState(maxRetries: number): CommitterState {
  return { bundles: [], completedId: 0, maxRetries };
}

/** Takes in what a writer prepared for a checkpoint. O(bundles). */
export function addCommittables(
  state: CommitterState,
  checkpointId: CheckpointId,
  committables: readonly unknown[],
): CommitterState {
  if (committables.length === 0) return state;
  return { ...state, bundles: [...state.bundles, { checkpointId, committables, tries: 0 }] };
}

/** A checkpoint is durable: what was added up to it is due. */
export function completeUpTo(state: CommitterState, checkpointId: CheckpointId): CommitterState {
  return { ...state, completedId: Math.max(state.completedId, checkpointId) };
}

/** What to commit next, in one call (X2); null if nothing is due. */
export function nextCommit(state: CommitterState): CommitBundle | null {
  const oldest = state.bundles[0];
  return oldest !== undefined && oldest.checkpointId <= state.completedId ? oldest : null;
}

/** Everything that is not confirmed (X1), oldest first. */
export function unconfirmed(state: CommitterState): readonly unknown[] {
  return state.bundles.flatMap((bundle) => bundle.committables);
}

/** What followed from a commit. */
export interface CommitAnswer {
  readonly state: CommitterState;
  /** Errors of committables that were dropped. */
  readonly rejected: readonly unknown[];
  /** Some are to be tried again, after a while. */
  readonly retry: boolean;
  /** The job has to fail with this; undefined if not. */
  readonly failure: unknown;
}

/** Takes in the outcomes of `nextCommit`, in its order. Pure; O(committables). */
export function onOutcomes(
  state: CommitterState,
  outcomes: readonly CommitOutcome[],
): CommitAnswer {
  const [bundle, ...rest] = state.bundles;
  if (bundle === undefined) return { state, rejected: [], retry: false, failure: undefined };
  const left = bundle.committables.filter((_, i) => isOpen(outcomes[i]));
  const rejected = outcomes.flatMap((one) => (one.kind === 'rejected' ? [one.error] : []));
  const failed = outcomes.find((one) => one.kind === 'failed');
  const tries = bundle.tries + 1;
  const again = outcomes.find((one) => one.kind === 'retryLater');
  const exhausted = again !== undefined && tries > state.maxRetries;
  const bundles = left.length > 0 ? [{ ...bundle, committables: left, tries }, ...rest] : rest;
  return {
    state: { ...state, bundles },
    rejected,
    retry: again !== undefined && !exhausted && failed === undefined,
    failure: failed?.error ?? (exhausted ? new Error(again.reason) : undefined),
  };
}

// No outcome at all: unknown, so it stays.
function isOpen(outcome: CommitOutcome | undefined): boolean {
  if (outcome === undefined) return true;
  return outcome.kind === 'retryLater' || outcome.kind === 'failed';
}
