import {
  type ResolvedRestartStrategy,
  resolveRestartStrategy,
} from '../../../packages/core/src/config/restart-strategy.ts';
import {
  initialRestartState,
  onFailure,
} from '../../../packages/core/src/coordinator/restart-backoff.ts';
import { type CaseKind, type Data, dataOf, notSupported, numberOf, onlyKnown } from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** Whether and when a job starts again after a failure. */
export const restartKind: CaseKind = {
  name: 'restart',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      let state = initialRestartState(strategyOf(dataOf(testCase.job.restart)));
      // No jitter in the cases; a share of 0.5 is neither added nor taken.
      const random = { next: () => 0.5 };
      return (step, nowMs) => {
        if (step.failure !== true) return notSupported(`step ${JSON.stringify(step)}`);
        const answer = onFailure(state, nowMs, random);
        state = answer.state;
        const { decision } = answer;
        if (decision.kind === 'fail') return [{ restart: false, newAttempt: true }];
        const { delayMs, isNewAttempt } = decision;
        return [{ restart: true, delayMs, newAttempt: isNewAttempt }];
      };
    }),
  ],
};

function strategyOf(job: Data): ResolvedRestartStrategy {
  const number = (name: string): number => numberOf(job[name]);
  switch (job.kind) {
    case 'none':
      return { kind: 'none' };
    case 'fixedDelay':
      onlyKnown(job, 'restart', 'kind', 'attempts', 'delayMs');
      return { kind: 'fixedDelay', attempts: number('attempts'), delayMs: number('delayMs') };
    case 'failureRate':
      onlyKnown(job, 'restart', 'kind', 'maxFailures', 'intervalMs', 'delayMs');
      return {
        kind: 'failureRate',
        maxFailures: number('maxFailures'),
        intervalMs: number('intervalMs'),
        delayMs: number('delayMs'),
      };
    case 'exponentialDelay': {
      const names = ['initialMs', 'maxMs', 'multiplier', 'resetAfterMs', 'jitter', 'attempts'];
      onlyKnown(job, 'restart', 'kind', ...names);
      const { initialMs, maxMs, attempts } = job;
      return resolveRestartStrategy({
        kind: 'exponentialDelay',
        ...(initialMs === undefined ? {} : { initialDelayMs: numberOf(initialMs) }),
        ...(maxMs === undefined ? {} : { maxDelayMs: numberOf(maxMs) }),
        ...(job.multiplier === undefined ? {} : { multiplier: number('multiplier') }),
        ...(job.resetAfterMs === undefined ? {} : { resetAfterMs: number('resetAfterMs') }),
        ...(attempts === undefined ? {} : { attempts: numberOf(attempts) }),
        jitter: 0,
      });
    }
    default:
      return notSupported(`restart ${String(job.kind)}`);
  }
}
