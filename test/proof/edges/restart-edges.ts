import type * as plainModule from '../../../packages/core/src/coordinator/restart-backoff.ts';
import { countEdge } from './edge-counter.ts';

type Plain = Pick<typeof plainModule, 'onFailure'>;

const MACHINE = 'restart strategy';

/** What it can say. */
export const EDGES: readonly string[] = ['failure -> restart', 'failure -> fail'].map(
  (edge) => `${MACHINE}: ${edge}`,
);

/** Counts edges of the restart strategy. */
export function watch(plain: Plain): Plain {
  return {
    onFailure(state, nowMs, random) {
      const step = plain.onFailure(state, nowMs, random);
      countEdge(MACHINE, `failure -> ${step.decision.kind}`);
      return step;
    },
  };
}
