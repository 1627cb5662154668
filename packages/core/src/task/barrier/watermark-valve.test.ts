// Goal: the merged time of an input never goes back and never waits for an idle channel.
// Method: scripted sequences, one per edge of the drawing; then random ones against a slow model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ValveOutput, WatermarkValve } from './watermark-valve.ts';

const watermark = (timeMs: number): ValveOutput => ({ kind: 'watermark', timeMs });
const status = (idle: boolean): ValveOutput => ({ kind: 'watermarkStatus', idle });

test('WatermarkValve lets nothing through before every channel has a watermark', () => {
  const valve = new WatermarkValve(3);
  assert.deepEqual(valve.onWatermark(0, 10), []);
  assert.deepEqual(valve.onWatermark(1, 20), []);
  assert.deepEqual(valve.onWatermark(2, 5), [watermark(5)]);
  assert.deepEqual(valve.onWatermark(2, 15), [watermark(10)]);
  assert.equal(valve.outputMs, 10);
});

test('WatermarkValve ignores a watermark that does not advance its channel', () => {
  const valve = new WatermarkValve(1);
  assert.deepEqual(valve.onWatermark(0, 10), [watermark(10)]);
  assert.deepEqual(valve.onWatermark(0, 10), []);
  assert.deepEqual(valve.onWatermark(0, 3), []);
});

test('WatermarkValve advances when the channel that held the minimum goes idle', () => {
  const valve = new WatermarkValve(2);
  valve.onWatermark(0, 10);
  valve.onWatermark(1, 5);
  assert.deepEqual(valve.onStatus(1, true), [watermark(10)]);
  assert.deepEqual(valve.onWatermark(1, 50), [], 'watermarks of an idle channel are ignored');
});

test('WatermarkValve leaves out a channel that returns behind the output', () => {
  const valve = new WatermarkValve(2);
  valve.onWatermark(0, 5);
  valve.onWatermark(1, 5);
  valve.onStatus(1, true);
  assert.deepEqual(valve.onWatermark(0, 20), [watermark(20)]);
  assert.deepEqual(valve.onStatus(1, false), []);
  assert.deepEqual(valve.onWatermark(0, 25), [watermark(25)]);
  assert.deepEqual(valve.onWatermark(1, 22), []);
  assert.deepEqual(valve.onWatermark(1, 25), []);
  assert.deepEqual(valve.onWatermark(0, 40), [], 'caught up: it counts again');
  assert.deepEqual(valve.onWatermark(1, 31), [watermark(31)]);
});

test('WatermarkValve flushes the maximum only if the last to go idle held the minimum', () => {
  const slowLast = new WatermarkValve(2);
  slowLast.onWatermark(0, 5);
  slowLast.onWatermark(1, 9);
  assert.deepEqual(slowLast.onStatus(1, true), []);
  assert.deepEqual(slowLast.onStatus(0, true), [watermark(9), status(true)]);
  const slowFirst = new WatermarkValve(2);
  slowFirst.onWatermark(0, 5);
  slowFirst.onWatermark(1, 9);
  assert.deepEqual(slowFirst.onStatus(0, true), [watermark(9)]);
  assert.deepEqual(slowFirst.onStatus(1, true), [status(true)]);
  assert.ok(slowFirst.isIdle);
});

test('WatermarkValve is active with the first active channel, ignores repeated marks', () => {
  const valve = new WatermarkValve(2);
  assert.deepEqual(valve.onStatus(0, true), []);
  assert.deepEqual(valve.onStatus(0, true), []);
  assert.deepEqual(valve.onStatus(1, true), [status(true)]);
  assert.deepEqual(valve.onStatus(0, false), [status(false)]);
  assert.deepEqual(valve.onStatus(1, false), []);
});

test('WatermarkValve lets the others decide when a channel has ended', () => {
  const valve = new WatermarkValve(2);
  assert.deepEqual(valve.onWatermark(0, Number.POSITIVE_INFINITY), []);
  assert.deepEqual(valve.onWatermark(1, 10), [watermark(10)]);
  assert.deepEqual(valve.onWatermark(1, Number.POSITIVE_INFINITY), [
    watermark(Number.POSITIVE_INFINITY),
  ]);
});

test('WatermarkValve never goes back and alternates its status, in random sequences', () => {
  let seed = 1;
  const below = (bound: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >>> 8) % bound;
  };
  for (let round = 0; round < 200; round++) {
    const valve = new WatermarkValve(3);
    const idle = [false, false, false];
    let last = Number.NEGATIVE_INFINITY;
    let isIdle = false;
    for (let step = 0; step < 60; step++) {
      const channel = below(3);
      const isStatus = below(3) === 0;
      if (isStatus) idle[channel] = below(2) === 0;
      const outputs = isStatus
        ? valve.onStatus(channel, idle[channel]!)
        : valve.onWatermark(channel, below(100));
      for (const output of outputs) {
        if (output.kind === 'watermark') {
          assert.ok(output.timeMs > last && !isIdle);
          last = output.timeMs;
        } else {
          assert.notEqual(output.idle, isIdle);
          isIdle = output.idle;
        }
      }
      assert.equal(isIdle, idle.every(Boolean));
    }
  }
});
