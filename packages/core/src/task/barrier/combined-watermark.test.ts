import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CombinedWatermark } from './combined-watermark.ts';

const NOTHING = { idle: undefined, watermarkMs: undefined };

test('CombinedWatermark is the smaller of two inputs, and never goes back (N1)', () => {
  const combined = new CombinedWatermark(2);
  assert.deepEqual(combined.onWatermark(0, 5), NOTHING);
  assert.deepEqual(combined.onWatermark(1, 3), { idle: undefined, watermarkMs: 3 });
  assert.deepEqual(combined.onWatermark(1, 2), NOTHING);
  assert.deepEqual(combined.onWatermark(1, 9), { idle: undefined, watermarkMs: 5 });
});

test('CombinedWatermark leaves an idle input out, and takes it in again without going back', () => {
  const combined = new CombinedWatermark(2);
  combined.onWatermark(0, 5);
  assert.deepEqual(combined.onIdle(1, true), { idle: undefined, watermarkMs: 5 });
  assert.deepEqual(combined.onIdle(1, false), NOTHING);
  assert.deepEqual(combined.onWatermark(0, 8), NOTHING, 'the second input has said nothing yet');
  assert.equal(combined.watermarkMs, 5);
});

test('CombinedWatermark is idle while all inputs are, and stands still (N3)', () => {
  const combined = new CombinedWatermark(1);
  assert.deepEqual(combined.onIdle(0, true), { idle: true, watermarkMs: undefined });
  assert.deepEqual(combined.onWatermark(0, 4), NOTHING);
  assert.deepEqual(combined.onIdle(0, false), { idle: false, watermarkMs: 4 });
});
