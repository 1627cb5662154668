// Goal: each rule of a channel has an element that breaks it, and that is reported.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '@millrace/core/connector';
import type { StreamElement } from '@millrace/core/host';
import { edgeWatch } from './edge-watch.ts';

const CHANNEL = { attempt: 1, from: 'a#0', to: 'b#1', input: 0 } as const;

function reportsOf(
  elements: readonly StreamElement[],
  mayBeLate = false,
  keyGroups: { first: number; last: number } | null = null,
): string[] {
  const reports: string[] = [];
  const observe = edgeWatch(mayBeLate, (message) => reports.push(message.split(': ')[1]!));
  const see = observe({ ...CHANNEL, keyGroups });
  for (const element of elements) see(element);
  return reports;
}

function barrier(checkpointId: number): StreamElement {
  const mode = 'exactly-once';
  const fixed = { attempt: 1, snapshotKind: 'checkpoint', mode, triggeredAtMs: 0 } as const;
  return { kind: 'barrier', barrier: { checkpointId, ...fixed } };
}

const watermark = (timeMs: number): StreamElement => ({ kind: 'watermark', timeMs });
const records = (...timestamps: number[]): StreamElement => ({
  kind: 'batch',
  batch: Batch.of(timestamps, timestamps),
});

test('edgeWatch is content with a channel that keeps all rules', () => {
  const elements = [
    records(5),
    watermark(4),
    barrier(1),
    records(6, NaN),
    watermark(9),
    barrier(2),
  ];
  const end: StreamElement[] = [{ kind: 'endOfInput' }, barrier(3)];
  assert.deepEqual(reportsOf([...elements, ...end]), []);
});

test('edgeWatch reports a watermark that goes back, and barriers out of order', () => {
  assert.deepEqual(reportsOf([watermark(5), watermark(4)]), ['E1']);
  assert.deepEqual(reportsOf([barrier(2), barrier(2), barrier(1)]), ['E2', 'E2']);
  assert.deepEqual(reportsOf([barrier(2), { kind: 'cancelBarrier', checkpointId: 1 }]), ['E2']);
});

test('edgeWatch reports what comes after the end of input', () => {
  assert.deepEqual(reportsOf([{ kind: 'endOfInput' }, records(1), watermark(1)]), ['E3', 'E3']);
});

test('edgeWatch reports a record behind the watermark, unless the job has late ones', () => {
  assert.deepEqual(reportsOf([watermark(5), records(6, 5)]), ['E4']);
  assert.deepEqual(reportsOf([watermark(5), records(6, 5)], true), []);
});

test('edgeWatch reports a key group that the receiver does not have', () => {
  const batch = Batch.of(['a']);
  batch.keyGroups = Uint16Array.of(64);
  const element: StreamElement = { kind: 'batch', batch };
  assert.deepEqual(reportsOf([element], false, { first: 0, last: 63 }), ['E5']);
  assert.deepEqual(reportsOf([element], false, { first: 64, last: 127 }), []);
});
