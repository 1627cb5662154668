import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyedCoProcessFunction } from '../../function/process-function.ts';
import { value } from '../../state/descriptors.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

const state = { order: value<string>() };
type Order = { readonly id: string };
type Payment = { readonly order: string };
type Match = KeyedCoProcessFunction<string, Order, Payment, string, typeof state>;

const match: Match = {
  state,
  onRecord1({ id }, { state: own, timers, timestampMs }) {
    own.order.set(id);
    timers.registerEventTime(timestampMs + 10);
  },
  onRecord2({ order }, { state: own, emit, key }) {
    emit(own.order.get() === undefined ? `${order} unknown` : `${key} paid`);
    own.order.clear();
  },
  onTimer(timeMs, { state: own, emit, key }) {
    if (own.order.get() !== undefined) emit(`${key} unpaid at ${timeMs}`);
    own.order.clear();
  },
};

function open(process: Match): Promise<OperatorBed> {
  return OperatorBed.open(() =>
    createOperator({
      kind: 'keyedCoProcess',
      keyOf1: (order) => (order as Order).id,
      keyOf2: (payment) => (payment as Payment).order,
      process: process as never,
    }),
  );
}

test('keyedCoProcess shares state and timers between its inputs, over a restore too', async () => {
  const bed = await open(match);
  bed.record({ id: 'a' }, 1);
  bed.record({ id: 'b' }, 2);
  await bed.restore(await bed.snapshot());
  bed.record2({ order: 'a' }, 3);
  bed.record2({ order: 'c' }, 4);
  bed.yieldAlways = true;
  bed.watermark(20);
  assert.deepEqual(bed.take(), [
    { value: 'a paid', at: 3 },
    { value: 'c unknown', at: 4 },
    { value: 'b unpaid at 12', at: 12 },
    { watermark: 20 },
  ]);
  assert.equal(bed.keyed.isEmpty(), true);
});

test('keyedCoProcess refuses promises on both sides', async () => {
  const refused = { code: 'PROMISE_IN_SYNC_FUNCTION' };
  const bed = await open({ ...match, onRecord1: async () => {}, onRecord2: async () => {} });
  assert.throws(() => bed.record({ id: 'a' }), refused);
  assert.throws(() => bed.record2({ order: 'a' }), refused);
});
