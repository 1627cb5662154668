import type * as plainModule from '../../../packages/core/src/task/sink/committer-step.ts';
import { countEdge } from './edge-counter.ts';

type Plain = Pick<typeof plainModule, 'completeUpTo' | 'onOutcomes'>;

const MACHINE = 'committer';

/** What can happen to committables; see the drawing in committer-step.ts. */
export const EDGES: readonly string[] = [
  'added -> due',
  'added by an aborted checkpoint -> due with a later one',
  'due -> confirmed',
  'due -> confirmed, it was before',
  'due -> due: to be tried later',
  'due -> the job fails: no retry left',
].map((edge) => `${MACHINE}: ${edge}`);

/** Counts edges of the committers. */
export function watch(plain: Plain): Plain {
  return {
    completeUpTo(state, checkpointId) {
      const due = state.bundles.filter(
        (bundle) => bundle.checkpointId > state.completedId && bundle.checkpointId <= checkpointId,
      );
      for (const bundle of due) {
        const isOwn = bundle.checkpointId === checkpointId;
        const edge = isOwn
          ? 'added -> due'
          : 'added by an aborted checkpoint -> due with a later one';
        countEdge(MACHINE, edge);
      }
      return plain.completeUpTo(state, checkpointId);
    },
    onOutcomes(state, outcomes) {
      const answer = plain.onOutcomes(state, outcomes);
      for (const { kind } of outcomes) {
        if (kind === 'committed') countEdge(MACHINE, 'due -> confirmed');
        if (kind === 'alreadyCommitted') countEdge(MACHINE, 'due -> confirmed, it was before');
      }
      if (answer.retry) countEdge(MACHINE, 'due -> due: to be tried later');
      if (answer.failure !== undefined) countEdge(MACHINE, 'due -> the job fails: no retry left');
      return answer;
    },
  };
}
