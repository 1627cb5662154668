import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeCheckpoint, fakeMetrics } from '../../test/fake-execution.ts';
import { formatBytes, formatCount, formatTime } from './figures.ts';
import { initialProgress, onJobEvent, onMetrics } from './progress-state.ts';
import { progressLines } from './progress-view.ts';

const start = initialProgress('order-totals', 0);

test('progressLines begins with name, status and age', () => {
  assert.deepEqual(progressLines(start, 2_000, 80), [
    'order-totals  starting  2.0 s',
    'no checkpoint yet',
  ]);
});

test('progressLines shows rates, watermark, lag, checkpoint and restarts', () => {
  let state = onJobEvent(start, { kind: 'status', status: 'running' }, 0);
  state = onMetrics(state, [fakeMetrics({ recordsOut: 1_000 })], 1_000);
  state = onMetrics(state, [fakeMetrics({ recordsOut: 5_000, watermarkMs: 1_500 })], 3_000);
  const checkpoint = fakeCheckpoint();
  state = onJobEvent(state, { kind: 'checkpointCompleted', checkpoint }, 3_000);
  state = onJobEvent(state, { kind: 'checkpointAborted', checkpointId: 8, reason: 'x' }, 3_000);
  state = onJobEvent(state, { kind: 'failure', error: new Error('a\nb'), restartInMs: 5 }, 3_000);
  assert.deepEqual(progressLines(state, 4_000, 100), [
    'order-totals  running  4.0 s',
    '  operator  subtasks  in/s  out/s  records in  records out  watermark            lag',
    '  orders           1     -  2.0 k           -        5.0 k  1970-01-01 00:00:01  2.5 s',
    'checkpoint 7, 1.0 s ago: 45 ms, 1.2 kB written of 3.4 kB (1 aborted)',
    '1 restart; last failure: a',
  ]);
});

test('progressLines leaves out columns that do not fit, and the lag of replayed input', () => {
  const state = onMetrics(start, [fakeMetrics({ kind: 'sink', recordsIn: 7, watermarkMs: 0 })], 1);
  assert.deepEqual(progressLines(state, 1, 80).slice(1, 3), [
    '  operator  in/s  out/s  records in  records out  watermark            lag',
    '  orders       0      -           7            -  1970-01-01 00:00:00  1 ms',
  ]);
  assert.equal(progressLines(state, 1, 60)[1], '  operator  in/s  out/s  records out  watermark');
  assert.match(progressLines(state, 2 * 86_400_000, 80)[2]!, / -$/);
});

test('progressLines never exceeds the terminal', () => {
  const state = onMetrics(start, [fakeMetrics({ uid: 'x'.repeat(80) })], 1);
  for (const columns of [1, 20, 60]) {
    for (const line of progressLines(state, 1, columns)) assert.ok(line.length <= columns, line);
  }
});

test('onMetrics makes no negative rate when counts begin again after a restart', () => {
  let state = onMetrics(start, [fakeMetrics({ recordsOut: 1_000 })], 1_000);
  state = onMetrics(state, [fakeMetrics({ recordsOut: 10 })], 2_000);
  assert.equal(state.operators[0]!.outPerSecond, 0);
});

test('figures are short and keep their unit', () => {
  assert.deepEqual([0, 950, 999.6, 12_345, 999_960, 4.5e6].map(formatCount), [
    '0',
    '950',
    '1.0 k',
    '12.3 k',
    '1.0 M',
    '4.5 M',
  ]);
  assert.deepEqual([0, 1_200_000].map(formatBytes), ['0 B', '1.2 MB']);
  assert.deepEqual([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY].map(formatTime), [
    '-',
    '1970-01-01 00:00:00',
    'end',
  ]);
});
