import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JoinInterval } from '../../function/join-function.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

function open(interval: JoinInterval, late = false): Promise<OperatorBed> {
  return OperatorBed.open(() =>
    createOperator({
      kind: 'intervalJoin',
      keyOf1: (value) => (value as string)[0]!,
      keyOf2: (value) => (value as string)[0]!,
      interval,
      lateOutputs: late ? { left: 'l', right: 'r' } : { left: null, right: null },
      join: {
        onPair: (left, right, { emit, leftTimestampMs, rightTimestampMs }) =>
          emit(`${left}-${right} ${leftTimestampMs} ${rightTimestampMs}`),
      },
    }),
  );
}

test('intervalJoin joins within both bounds, stamped with the greater time', async () => {
  const bed = await open({ lowerMs: -10, upperMs: 10 });
  bed.record('a', 100);
  for (const at of [89, 90, 100, 110, 111]) bed.record2('a', at);
  bed.record2('b', 100);
  assert.deepEqual(bed.take(), [
    { value: 'a-a 100 90', at: 100 },
    { value: 'a-a 100 100', at: 100 },
    { value: 'a-a 100 110', at: 110 },
  ]);
});

test('intervalJoin finds the same pairs whatever side comes first', async () => {
  const interval = { lowerMs: -3, upperMs: 5, upperInclusive: false };
  const times = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const pairs = (bed: OperatorBed) => bed.values().sort();
  const leftFirst = await open(interval);
  for (const at of times) leftFirst.record(`k${at}`, at);
  for (const at of times) leftFirst.record2(`k${at}`, at);
  const rightFirst = await open(interval);
  for (const at of [...times].reverse()) rightFirst.record2(`k${at}`, at);
  for (const at of times) rightFirst.record(`k${at}`, at);
  const expected = times.flatMap((l) =>
    times.filter((r) => r - l >= -3 && r - l < 5).map((r) => `k${l}-k${r} ${l} ${r}`),
  );
  assert.deepEqual(pairs(leftFirst), expected.sort());
  assert.deepEqual(pairs(rightFirst), expected);
});

test('intervalJoin drops or diverts what is behind the watermark', async () => {
  const bed = await open({ lowerMs: -10, upperMs: 10 });
  bed.record('a', 100);
  bed.watermark(105);
  bed.record2('a', 104);
  bed.record2('a', 105);
  assert.deepEqual(bed.values(), ['a-a 100 105']);
  assert.equal(bed.metrics.counter('lateRecordsDropped').value, 1);
  const diverting = await open({ lowerMs: 0, upperMs: 0 }, true);
  diverting.watermark(50);
  diverting.record('a', 49);
  diverting.record2('a', 10);
  assert.deepEqual(diverting.take().slice(1), [
    { value: 'a', at: 49, side: 'l' },
    { value: 'a', at: 10, side: 'r' },
  ]);
});

test('intervalJoin forgets records exactly when no partner can come any more', async () => {
  for (const [lowerMs, upperMs] of [
    [-5, -2],
    [2, 5],
    [-3, 3],
    [0, 0],
  ] as const) {
    const bed = await open({ lowerMs, upperMs });
    bed.record('a', 10);
    bed.record2('a', 10);
    const leftEnd = 10 + Math.max(0, upperMs);
    const rightEnd = 10 + Math.max(0, -lowerMs);
    const last = Math.max(leftEnd, rightEnd);
    if (last - 1 > 0) bed.watermark(last - 1);
    assert.equal(bed.keyed.isEmpty(), false);
    bed.watermark(last);
    assert.equal(bed.keyed.isEmpty(), true);
  }
});

test('intervalJoin has one timer per key and stops between two keys', async () => {
  const bed = await open({ lowerMs: -10, upperMs: 10 });
  for (const key of ['a', 'b', 'c']) for (let at = 20; at > 0; at--) bed.record(key, at);
  bed.yieldAlways = true;
  assert.equal(bed.watermark(100), 3);
  assert.equal(bed.keyed.isEmpty(), true);
});

test('intervalJoin goes on from a snapshot with buffers and cleanup', async () => {
  const bed = await open({ lowerMs: -10, upperMs: 10 });
  bed.record('a', 100);
  bed.record2('ar', 95);
  await bed.restore(await bed.snapshot());
  bed.record2('as', 108);
  bed.record('am', 100);
  await bed.restore(await bed.snapshot());
  bed.record('a', 100);
  assert.deepEqual(bed.values(), [
    'a-ar 100 95',
    'a-as 100 108',
    'am-as 100 108',
    'am-ar 100 95',
    'a-as 100 108',
    'a-ar 100 95',
  ]);
  bed.watermark(120);
  assert.equal(bed.keyed.isEmpty(), true);
});

test('intervalJoin restores the same buffers with another interval', async () => {
  let interval: JoinInterval = { lowerMs: -10, upperMs: 10 };
  const bed = await OperatorBed.open(() =>
    createOperator({
      kind: 'intervalJoin',
      keyOf1: () => 'k',
      keyOf2: () => 'k',
      interval,
      lateOutputs: { left: null, right: null },
      join: { onPair: (left, right, { emit }) => emit(`${left}-${right}`) },
    }),
  );
  bed.record('l', 100);
  const snapshot = await bed.snapshot();
  for (const upperMs of [0, 50]) {
    interval = { lowerMs: 0, upperMs };
    await bed.restore(snapshot);
    bed.record2('r', 100);
    assert.deepEqual(bed.values(), ['l-r']);
    bed.watermark(500);
    assert.equal(bed.keyed.isEmpty(), true);
  }
});

test('intervalJoin refuses records without time, senseless bounds, and promises', async () => {
  const bed = await open({ lowerMs: 0, upperMs: 0 });
  for (const at of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
    assert.throws(() => bed.record('a', at), { code: 'MISSING_TIMESTAMP' });
  }
  for (const [lowerMs, upperMs] of [
    [5, 1],
    [0.5, 1],
    [0, Number.POSITIVE_INFINITY],
  ] as const) {
    await assert.rejects(open({ lowerMs, upperMs }), { code: 'INVALID_OPTION' });
  }
  const promising = await OperatorBed.open(() =>
    createOperator({
      kind: 'intervalJoin',
      keyOf1: () => 1,
      keyOf2: () => 1,
      interval: { lowerMs: 0, upperMs: 0 },
      lateOutputs: { left: null, right: null },
      join: { onPair: async () => {} },
    }),
  );
  promising.record('a', 1);
  assert.throws(() => promising.record2('a', 1), { code: 'PROMISE_IN_SYNC_FUNCTION' });
});
