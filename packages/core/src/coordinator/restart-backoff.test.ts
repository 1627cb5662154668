import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RestartStrategy, resolveRestartStrategy } from '../config/restart-strategy.ts';
import { initialRestartState, onFailure } from './restart-backoff.ts';

/** Delays of the restarts after failures at these times; null: the job fails. */
function delaysAfter(strategy: RestartStrategy, times: number[], chance = 0.5): (number | null)[] {
  let state = initialRestartState(resolveRestartStrategy(strategy));
  return times.map((nowMs) => {
    const step = onFailure(state, nowMs, { next: () => chance });
    state = step.state;
    return step.decision.kind === 'restart' ? step.decision.delayMs : null;
  });
}

const GROWING = {
  kind: 'exponentialDelay',
  initialDelayMs: 100,
  maxDelayMs: 1_000,
  multiplier: 2,
  resetAfterMs: 5_000,
  jitter: 0,
} as const;

test('none fails at once', () => {
  assert.deepEqual(delaysAfter({ kind: 'none' }, [0]), [null]);
});

test('fixedDelay restarts so many times, and never begins anew', () => {
  const strategy: RestartStrategy = { kind: 'fixedDelay', attempts: 2, delayMs: 5 };
  assert.deepEqual(delaysAfter(strategy, [0, 1_000, 1e9]), [5, 5, null]);
});

test('failureRate counts failures up to and at the interval', () => {
  const strategy = { kind: 'failureRate', maxFailures: 2, intervalMs: 100, delayMs: 5 } as const;
  assert.deepEqual(delaysAfter(strategy, [0, 50, 100]), [5, 5, null]);
  assert.deepEqual(delaysAfter(strategy, [0, 50, 101, 151]), [5, 5, 5, 5]);
});

test('exponentialDelay grows up to its maximum and begins anew after a quiet time', () => {
  assert.deepEqual(
    delaysAfter(GROWING, [0, 100, 300, 700, 1_500, 2_500]),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.deepEqual(
    delaysAfter(GROWING, [0, 200, 400 + 4_999, 10_000 + 5_400]),
    [100, 200, 400, 100],
  );
});

test('exponentialDelay takes failures while it waits as one (B1)', () => {
  assert.deepEqual(delaysAfter({ ...GROWING, attempts: 2 }, [0, 20, 99, 100, 400]), [
    100,
    80,
    1,
    200,
    null,
  ]);
});

test('exponentialDelay adds or takes a random share, but stays within its maximum', () => {
  const jittered = { ...GROWING, jitter: 0.1 };
  assert.deepEqual(delaysAfter(jittered, [0], 0), [90]);
  assert.deepEqual(delaysAfter(jittered, [0], 0.999_999), [110]);
  assert.deepEqual(delaysAfter({ ...jittered, initialDelayMs: 1_000 }, [0], 0.9), [1_000]);
});
