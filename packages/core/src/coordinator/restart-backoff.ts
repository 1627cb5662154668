import type { Random } from '../base/environment.ts';
import type { ResolvedRestartStrategy } from '../config/restart-strategy.ts';

// A failure, as the strategy sees it:
//
//   running --failure--> allowed? --yes--> waiting for delayMs --> running
//                           |                  |   ^
//                           no                 +---+ another failure: the same attempt
//                           v                        (exponential delay only)
//                         failed
//
// B1. Failures while the restart of an earlier one is still to come are of one cause: ten tasks
//     that die together must not use up ten attempts. (Fixed delay and failure rate count them, as
//     Flink does.)
// B2. After `resetAfterMs` without a failure, counted from the restart, exponential delay begins
//     anew.

/** What a strategy remembers. Immutable plain data. */
export interface RestartState {
  readonly strategy: ResolvedRestartStrategy;
  /** Attempts used; since the last reset for exponential delay. */
  readonly usedCount: number;
  /** Of the last `maxFailures` failures, oldest first. Failure rate only. */
  readonly failedAtMs: readonly number[];
  /** Without jitter; 0 before the first failure. Exponential delay only. */
  readonly delayMs: number;
  /** When the restart that was last allowed is due; -Infinity before the first. */
  readonly restartAtMs: number;
}

/** What is to be done about a failure. */
export type RestartDecision =
  | {
      readonly kind: 'restart';
      readonly delayMs: number;
      /** False: it belongs to the restart that is already waited for. */
      readonly isNewAttempt: boolean;
    }
  | { readonly kind: 'fail' };

/** Nothing has failed. */
export function initialRestartState(strategy: ResolvedRestartStrategy): RestartState {
  return {
    strategy,
    usedCount: 0,
    failedAtMs: [],
    delayMs: 0,
    restartAtMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Decides about one failure. Only for errors that a restart may help against (`retry` is not
 * `never`). Pure but for `random`.
 *
 * @param nowMs a clock that does not go back
 */
export function onFailure(
  state: RestartState,
  nowMs: number,
  random: Pick<Random, 'next'>,
): { readonly state: RestartState; readonly decision: RestartDecision } {
  const { strategy } = state;
  switch (strategy.kind) {
    case 'none':
      return { state, decision: { kind: 'fail' } };
    case 'fixedDelay':
      return allow(state, nowMs, strategy.delayMs, strategy.attempts);
    case 'failureRate': {
      const { maxFailures, intervalMs, delayMs } = strategy;
      const oldest = state.failedAtMs.length < maxFailures ? undefined : state.failedAtMs[0];
      const failedAtMs = [...state.failedAtMs, nowMs].slice(-maxFailures);
      const isTooOften = oldest !== undefined && nowMs - oldest <= intervalMs;
      const next = { ...state, failedAtMs };
      return isTooOften
        ? { state: next, decision: { kind: 'fail' } }
        : allow(next, nowMs, delayMs, Number.POSITIVE_INFINITY);
    }
    case 'exponentialDelay':
      return onExponential(state, strategy, nowMs, random);
  }
}

function onExponential(
  state: RestartState,
  strategy: Extract<ResolvedRestartStrategy, { kind: 'exponentialDelay' }>,
  nowMs: number,
  random: Pick<Random, 'next'>,
): { readonly state: RestartState; readonly decision: RestartDecision } {
  if (nowMs < state.restartAtMs) {
    const delayMs = state.restartAtMs - nowMs; // B1
    return { state, decision: { kind: 'restart', delayMs, isNewAttempt: false } };
  }
  const isReset = state.usedCount === 0 || nowMs - state.restartAtMs >= strategy.resetAfterMs; // B2
  const delayMs = isReset
    ? strategy.initialDelayMs
    : Math.min(strategy.maxDelayMs, state.delayMs * strategy.multiplier);
  const jitter = (random.next() * 2 - 1) * strategy.jitter * delayMs;
  const jittered = Math.min(strategy.maxDelayMs, Math.max(0, Math.round(delayMs + jitter)));
  const usedCount = isReset ? 0 : state.usedCount;
  return allow({ ...state, usedCount, delayMs }, nowMs, jittered, strategy.attempts);
}

function allow(
  state: RestartState,
  nowMs: number,
  delayMs: number,
  attempts: number,
): { readonly state: RestartState; readonly decision: RestartDecision } {
  if (state.usedCount >= attempts) return { state, decision: { kind: 'fail' } };
  return {
    state: { ...state, usedCount: state.usedCount + 1, restartAtMs: nowMs + delayMs },
    decision: { kind: 'restart', delayMs, isNewAttempt: true },
  };
}
