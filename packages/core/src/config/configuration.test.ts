import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { InvalidOptionError } from '../base/invalid-option-error.ts';
import { type CheckpointOptions, resolveCheckpointOptions } from './checkpoint-options.ts';
import { configurationReference } from './configuration-reference.ts';
import { resolveRestartStrategy, type RestartStrategy } from './restart-strategy.ts';

const PAGE = new URL('../../../../docs/reference/configuration.md', import.meta.url);

test('resolveCheckpointOptions fills in the defaults', () => {
  assert.deepEqual(resolveCheckpointOptions({ directory: '/data' }), {
    directory: '/data',
    intervalMs: 10_000,
    mode: 'exactly-once',
    timeoutMs: 600_000,
    minPauseMs: 0,
    maxConcurrent: 1,
    tolerableFailures: 0,
    retention: 'retain-on-cancellation',
    numRetained: 1,
    inlineBytesMax: 16_384,
  });
});

test('resolveCheckpointOptions takes what is given, and undefined as not given', () => {
  const { intervalMs, numRetained, minPauseMs } = resolveCheckpointOptions({
    directory: '/data',
    intervalMs: Number.POSITIVE_INFINITY,
    numRetained: 3,
    minPauseMs: undefined,
  } as unknown as CheckpointOptions);
  assert.deepEqual([intervalMs, numRetained, minPauseMs], [Number.POSITIVE_INFINITY, 3, 0]);
});

const REFUSED: readonly [string, unknown][] = [
  ['directory', ''],
  ['directory', undefined],
  ['intervalMs', 0],
  ['intervalMs', Number.NaN],
  ['intervalMs', '10'],
  ['intervalMs', 1.5],
  ['intervalMs', 2 ** 31],
  ['mode', 'exactly'],
  ['timeoutMs', -1],
  ['minPauseMs', Number.POSITIVE_INFINITY],
  ['maxConcurrent', 0],
  ['tolerableFailures', -1],
  ['retention', 'keep'],
  ['numRetained', 0],
  ['interval', 5],
];

for (const [option, value] of REFUSED) {
  test(`resolveCheckpointOptions refuses ${option} ${String(value)}`, () => {
    const options = { directory: '/data', [option]: value } as unknown as CheckpointOptions;
    assert.throws(
      () => resolveCheckpointOptions(options),
      (error: InvalidOptionError) => {
        assert.ok(error instanceof InvalidOptionError);
        assert.equal(error.details.option, `checkpoints.${option}`);
        assert.match(error.message, /allows .+/);
        return true;
      },
    );
  });
}

test('resolveRestartStrategy takes exponential delay if nothing is said', () => {
  assert.deepEqual(resolveRestartStrategy(), {
    kind: 'exponentialDelay',
    initialDelayMs: 1_000,
    maxDelayMs: 60_000,
    multiplier: 1.5,
    resetAfterMs: 3_600_000,
    jitter: 0.1,
    attempts: Number.POSITIVE_INFINITY,
  });
  assert.deepEqual(resolveRestartStrategy({ kind: 'none' }), { kind: 'none' });
});

test('resolveRestartStrategy refuses what makes no sense', () => {
  const refused: unknown[] = [
    { kind: 'sometimes' },
    { kind: 'toString' },
    { kind: 'fixedDelay', attempts: 1 },
    { kind: 'fixedDelay', attempts: 0.5, delayMs: 1 },
    { kind: 'failureRate', maxFailures: 0, intervalMs: 1, delayMs: 1 },
    { kind: 'exponentialDelay', jitter: 2 },
    { kind: 'exponentialDelay', multiplier: 0.5 },
    { kind: 'exponentialDelay', initialDelayMs: 100, maxDelayMs: 50 },
    { kind: 'none', delayMs: 5 },
  ];
  for (const strategy of refused) {
    assert.throws(() => resolveRestartStrategy(strategy as RestartStrategy), InvalidOptionError);
  }
});

test('docs/reference/configuration.md is what the options say', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), configurationReference());
});
