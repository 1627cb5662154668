import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boundedOutOfOrderness,
  monotonic,
  punctuated,
} from '../../function/watermark-strategies.ts';
import type { WatermarkStrategy } from '../../function/watermark-strategy.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

const timestamp = (value: unknown): number => value as number;

function open(watermarks: WatermarkStrategy<unknown>): Promise<OperatorBed> {
  return OperatorBed.open(() => createOperator({ kind: 'assignTimestamps', watermarks }));
}

test('assignTimestamps gives records their time, and a watermark at each interval', async () => {
  const bed = await open(boundedOutOfOrderness(10, { timestamp }));
  bed.record(100, 1);
  bed.record(90, 2);
  assert.deepEqual(bed.take(), [
    { value: 100, at: 100 },
    { value: 90, at: 90 },
  ]);
  bed.clock(199);
  assert.deepEqual(bed.take(), []);
  bed.clock(200);
  bed.clock(400);
  assert.deepEqual(bed.take(), [{ watermark: 89 }]);
  bed.record(200, 3);
  bed.clock(600);
  assert.deepEqual(bed.take(), [{ value: 200, at: 200 }, { watermark: 189 }]);
});

test('assignTimestamps drops the watermarks from before it, but the last', async () => {
  const bed = await open(monotonic({ timestamp }));
  bed.record(5, 1);
  bed.take();
  bed.watermark(1_000);
  assert.deepEqual(bed.take(), []);
  bed.watermark(Number.POSITIVE_INFINITY);
  assert.deepEqual(bed.take(), [{ watermark: Number.POSITIVE_INFINITY }]);
  bed.clock(500);
  assert.deepEqual(bed.take(), []);
  assert.equal(bed.wakeUpMs, Number.POSITIVE_INFINITY);
});

test('assignTimestamps sends a punctuated watermark behind its record', async () => {
  const bed = await open(
    punctuated((value) => ((value as number) % 10 === 0 ? (value as number) : undefined), {
      timestamp,
    }),
  );
  for (const at of [5, 10, 7]) bed.record(at);
  assert.deepEqual(bed.take(), [
    { value: 5, at: 5 },
    { value: 10, at: 10 },
    { watermark: 10 },
    { value: 7, at: 7 },
  ]);
});

test('assignTimestamps sends a watermark within a long burst of records', async () => {
  const bed = await open(monotonic({ timestamp }));
  for (let at = 1; at <= 1_500; at++) bed.record(at);
  const watermarks = bed.take().filter((one) => 'watermark' in one);
  assert.deepEqual(watermarks, [{ watermark: 1_023 }]);
});

test('assignTimestamps is idle after a silence, and active again at the next record', async () => {
  const bed = await open(monotonic({ timestamp, idleAfterMs: 300 }));
  bed.record(5);
  bed.take();
  for (let now = 200; now <= 600; now += 200) bed.clock(now);
  assert.deepEqual(bed.take(), [{ watermark: 4 }]);
  bed.clock(800);
  bed.clock(1_000);
  assert.deepEqual(bed.take(), [{ idle: true }]);
  bed.record(6);
  assert.deepEqual(bed.take(), [{ idle: false }, { value: 6, at: 6 }]);
});

test('assignTimestamps keeps its rhythm when it is woken for somebody else', async () => {
  const bed = await open(monotonic({ timestamp }));
  bed.record(5);
  bed.take();
  bed.nowMs = 50;
  bed.wakeUpMs = Number.POSITIVE_INFINITY;
  assert.equal(bed.operator.onProcessingTime?.(50), true);
  assert.equal(bed.wakeUpMs, 200);
  assert.deepEqual(bed.take(), []);
});

test('assignTimestamps refuses a timestamp that is not a number', async () => {
  const bed = await open(monotonic({ timestamp: () => undefined as unknown as number }));
  assert.throws(() => bed.record(1), { code: 'INVALID_TIMESTAMP' });
});
