import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeMetrics } from '../../test/fake-execution.ts';
import { totalsLines } from './totals.ts';

const metrics = [
  fakeMetrics({ uid: 'orders', recordsOut: 3_000_000, more: { malformedRecordsSkipped: 2 } }),
  fakeMetrics({ uid: 'map', kind: 'map', recordsIn: 3, recordsOut: 3 }),
  fakeMetrics({ uid: 'day', kind: 'window', recordsIn: 3, more: { lateRecordsDropped: 1_400 } }),
  fakeMetrics({ uid: 'totals', kind: 'sink', recordsIn: 1, more: { commitsRejected: 0 } }),
];

test('totalsLines tells what sources read, sinks wrote, and who lost records', () => {
  assert.deepEqual(totalsLines(metrics, true), [
    'orders: 3 000 000 records read, 2 malformed and skipped',
    'day: 1 400 late and dropped',
    'totals: 1 record written',
  ]);
});

test('totalsLines does not call written what a cancelled job may not have committed', () => {
  assert.equal(totalsLines(metrics, false).at(-1), 'totals: 1 record taken in');
});
