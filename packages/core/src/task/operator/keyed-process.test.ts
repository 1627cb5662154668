import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sideOutput } from '../../function/process-function.ts';
import type { KeyedProcessFunction } from '../../function/process-function.ts';
import { value, list } from '../../state/descriptors.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

interface Visit {
  readonly user: string;
  readonly at: number;
}

const visit = (user: string, at: number): Visit => ({ user, at });
const state = { count: value(0), times: list<number>() };

type Counting = KeyedProcessFunction<string, Visit, unknown, typeof state>;

function open(process: Partial<Counting>): Promise<OperatorBed> {
  const full = { state, onRecord() {}, ...process };
  return OperatorBed.open(() =>
    createOperator({
      kind: 'keyedProcess',
      keyOf: (v) => (v as Visit).user,
      process: full as never,
    }),
  );
}

const counting: Counting = {
  state,
  onRecord({ at }, context) {
    // Taken apart on purpose: users do, so nothing may depend on `this`.
    const { emit, key, timers } = context;
    context.state.count.set(context.state.count.get() + 1);
    context.state.times.add(at);
    timers.registerEventTime(at + 10);
    emit(`${key}:${context.state.count.get()}`);
  },
  onTimer(timeMs, { key, domain, emit, state: own, watermarkMs }) {
    emit(`${domain} ${key}@${timeMs} of ${own.times.get().join()} at ${watermarkMs}`);
    own.times.clear();
  },
};

test('keyedProcess keeps state per key and stamps with the record', async () => {
  const bed = await open(counting);
  bed.record(visit('a', 1), 1);
  bed.record(visit('b', 2));
  bed.record(visit('a', 3), 3);
  assert.deepEqual(bed.take(), [
    { value: 'a:1', at: 1 },
    { value: 'b:1', at: null },
    { value: 'a:2', at: 3 },
  ]);
});

test('keyedProcess fires timers with their key and state before the watermark', async () => {
  const bed = await open(counting);
  bed.record(visit('a', 1), 1);
  bed.record(visit('b', 5), 5);
  bed.take();
  bed.watermark(12);
  assert.deepEqual(bed.take(), [{ value: 'event a@11 of 1 at 12', at: 11 }, { watermark: 12 }]);
});

test('keyedProcess stops between two timers and goes on', async () => {
  const bed = await open(counting);
  for (const key of ['a', 'b', 'c']) bed.record(visit(key, 1), 1);
  bed.take();
  bed.yieldAlways = true;
  assert.equal(bed.watermark(11), 3);
  assert.equal(bed.values().length, 3);
});

test('keyedProcess gives results of processing-time timers no timestamp', async () => {
  const bed = await open({
    onRecord: ({ at }, { timers }) => timers.registerProcessingTime(at),
    onTimer: (timeMs, { emit, domain, now }) => emit([domain, timeMs, now()]),
  });
  bed.record(visit('a', 50), 1);
  assert.equal(bed.wakeUpMs, 50);
  bed.clock(49);
  assert.deepEqual(bed.take(), []);
  bed.clock(80);
  assert.deepEqual(bed.take(), [{ value: ['processing', 50, 80], at: null }]);
});

test('keyedProcess restores state and timers, but not its watermark', async () => {
  const bed = await open(counting);
  bed.watermark(5);
  bed.record(visit('a', 1), 1);
  const snapshot = await bed.snapshot();
  bed.record(visit('a', 99), 99);
  await bed.restore(snapshot);
  bed.take();
  bed.record(visit('a', 2), 2);
  bed.watermark(11);
  assert.deepEqual(bed.values(), ['a:2', 'event a@11 of 1,2 at 11']);
});

test('keyedProcess writes side outputs and user counters', async () => {
  const odd = sideOutput<number>('odd');
  const bed = await open({
    onRecord({ at }, { side, count }) {
      side(odd, at);
      side(odd, at, 77);
      count('seen');
      count('seen', 2);
    },
  });
  bed.record(visit('a', 3), 4);
  assert.deepEqual(bed.take(), [
    { value: 3, at: 4, side: 'odd' },
    { value: 3, at: 77, side: 'odd' },
  ]);
  assert.equal(bed.metrics.counter('seen').value, 3);
});

test('keyedProcess ignores timers without a function for them', async () => {
  const bed = await open({ onRecord: ({ at }, { timers }) => timers.registerEventTime(at) });
  bed.record(visit('a', 3), 4);
  bed.watermark(10);
  assert.deepEqual(bed.take(), [{ watermark: 10 }]);
  assert.equal(bed.keyed.isEmpty(), true);
});

test('keyedProcess refuses promises from each callback and lets other results pass', async () => {
  const refused = { code: 'PROMISE_IN_SYNC_FUNCTION', details: { operatorUid: 'op' } };
  const onRecord = async () => {};
  const first = await open({ onRecord });
  assert.throws(() => first.record(visit('a', 1)), refused);
  const second = await open({
    onRecord: (_v, { timers }) => timers.registerEventTime(1),
    onTimer: async () => {},
  });
  second.record(visit('a', 1));
  assert.throws(() => second.watermark(1), refused);
  const third = await open({ onRecord: () => 5 as unknown as undefined });
  third.record(visit('a', 1));
});

test('keyedProcess lets exceptions of the user pass as they are', async () => {
  const mine = new RangeError('mine');
  const bed = await open({
    onRecord() {
      throw mine;
    },
  });
  assert.throws(() => bed.record(visit('a', 1)), mine);
});

test('keyedProcess refuses a key that is none', async () => {
  const bed = await open(counting);
  assert.throws(() => bed.record({ at: 1 }), { code: 'INVALID_KEY' });
});
