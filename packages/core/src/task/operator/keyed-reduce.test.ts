import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

type Amount = readonly [key: string, amount: number];

function open(reduce: (a: Amount, b: Amount) => unknown): Promise<OperatorBed> {
  return OperatorBed.open(() =>
    createOperator({
      kind: 'keyedReduce',
      keyOf: (record) => (record as Amount)[0],
      reduce: reduce as (a: unknown, b: unknown) => unknown,
    }),
  );
}

const sum = ([key, a]: Amount, [, b]: Amount): Amount => [key, a + b];

test('keyedReduce emits the running reduction of a key with the time of the record', async () => {
  const bed = await open(sum);
  bed.record(['a', 1], 10);
  bed.record(['b', 5], 11);
  bed.record(['a', 2]);
  assert.deepEqual(bed.take(), [
    { value: ['a', 1], at: 10 },
    { value: ['b', 5], at: 11 },
    { value: ['a', 3], at: null },
  ]);
});

test('keyedReduce goes on from a snapshot', async () => {
  const bed = await open(sum);
  bed.record(['a', 1]);
  const snapshot = await bed.snapshot();
  bed.record(['a', 50]);
  await bed.restore(snapshot);
  bed.take();
  bed.record(['a', 2]);
  assert.deepEqual(bed.values(), [['a', 3]]);
});

test('keyedReduce refuses a promise', async () => {
  const bed = await open(async () => ['a', 0]);
  bed.record(['a', 1]);
  assert.throws(() => bed.record(['a', 2]), { code: 'PROMISE_IN_SYNC_FUNCTION' });
});
