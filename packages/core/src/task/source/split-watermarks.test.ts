import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '../../element/batch.ts';
import {
  boundedOutOfOrderness,
  custom,
  monotonic,
  punctuated,
} from '../../function/watermark-strategies.ts';
import { InvalidTimestampError } from './assign-timestamp.ts';
import { SplitWatermarks } from './split-watermarks.ts';

function records(...timestamps: number[]): Batch {
  return Batch.of(
    timestamps.map((at) => ({ at })),
    timestamps,
  );
}

test('SplitWatermarks keeps a generator per split', () => {
  const w = new SplitWatermarks(boundedOutOfOrderness(10), 0);
  w.addSplit('a', 0);
  w.addSplit('b', 0);
  w.onBatch('a', records(100, 90), 0);
  assert.equal(w.current(0).timeMs, Number.NEGATIVE_INFINITY);
  w.onBatch('b', records(50), 0);
  assert.equal(w.current(0).timeMs, 39);
  w.onBatch('b', records(40, 60), 0);
  assert.equal(w.current(0).timeMs, 49);
});

test('SplitWatermarks assigns timestamps in place', () => {
  const timestamp = (value: unknown) => (value as { at: number }).at * 2;
  const w = new SplitWatermarks(monotonic({ timestamp }), 0);
  w.addSplit('a', 0);
  const batch = records(4, 5);
  w.onBatch('a', batch, 0);
  assert.deepEqual([...batch.timestamps], [8, 10]);
  assert.equal(w.current(0).timeMs, 9);
});

test('SplitWatermarks refuses a timestamp that is not a number', () => {
  for (const bad of [undefined, Number.NaN, '2020', new Date(0)]) {
    const w = new SplitWatermarks(monotonic({ timestamp: () => bad as number }), 0);
    w.addSplit('a', 0);
    assert.throws(() => w.onBatch('a', records(1), 0), InvalidTimestampError);
  }
});

test('SplitWatermarks takes a punctuated watermark of any record of the batch', () => {
  const w = new SplitWatermarks(
    punctuated((_value, at) => (at % 10 === 0 ? at : undefined)),
    0,
  );
  w.addSplit('a', 0);
  w.onBatch('a', records(3, 20, 25), 0);
  assert.equal(w.current(0).timeMs, 20);
  w.onBatch('a', records(26), 0);
  assert.equal(w.current(0).timeMs, 20);
});

test('SplitWatermarks asks generators that follow the clock at each tick', () => {
  let nowMs = 0;
  const w = new SplitWatermarks(
    custom(() => ({ onRecord: () => undefined, onPeriodic: () => nowMs })),
    0,
  );
  w.addSplit('a', 0);
  nowMs = 77;
  w.onPeriodic(77);
  assert.equal(w.current(77).timeMs, 77);
});

test('SplitWatermarks calls a split idle only when more than the time-out has passed', () => {
  const w = new SplitWatermarks(monotonic({ idleAfterMs: 100 }), 0);
  w.addSplit('a', 0);
  w.addSplit('b', 0);
  w.onBatch('a', records(1), 0);
  const idleAt = (nowMs: number) => {
    w.onBatch('b', records(nowMs + 50), nowMs);
    w.onPeriodic(nowMs);
    return w.current(nowMs);
  };
  assert.equal(idleAt(0).timeMs, 0);
  assert.equal(idleAt(10).timeMs, 0);
  assert.equal(idleAt(110).timeMs, 0);
  assert.deepEqual(idleAt(111), { timeMs: 160, idle: false });
  w.onBatch('a', records(200), 112); // it comes back and counts again
  w.onBatch('b', records(500), 112);
  assert.equal(w.current(112).timeMs, 199);
});

test('SplitWatermarks is idle when no split has come for the time-out', () => {
  const w = new SplitWatermarks(monotonic({ idleAfterMs: 100 }), 0);
  assert.equal(w.current(100).idle, false);
  assert.equal(w.current(101).idle, true);
  w.addSplit('a', 101);
  assert.equal(w.current(101).idle, false);
  assert.equal(new SplitWatermarks(monotonic(), 0).current(1e9).idle, false);
});

test('SplitWatermarks makes no watermark without a strategy', () => {
  const w = new SplitWatermarks(null, 0);
  w.addSplit('a', 0);
  w.onBatch('a', records(5), 0);
  w.onPeriodic(10);
  assert.deepEqual(w.current(10), { timeMs: Number.NEGATIVE_INFINITY, idle: false });
});
