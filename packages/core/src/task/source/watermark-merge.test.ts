import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WatermarkMerge } from './watermark-merge.ts';

function merge(...splits: string[]): WatermarkMerge {
  const made = new WatermarkMerge();
  for (const split of splits) made.addSplit(split);
  return made;
}

test('WatermarkMerge is the minimum over all splits and waits for each', () => {
  const m = merge('a', 'b');
  m.advance('a', 10, 'now');
  assert.deepEqual(m.current(), { timeMs: Number.NEGATIVE_INFINITY, idle: false });
  m.advance('b', 5, 'now');
  assert.equal(m.current().timeMs, 5);
});

test('WatermarkMerge releases the minimum of a removed split at the next tick', () => {
  const m = merge('a', 'b');
  m.advance('a', 10, 'now');
  m.advance('b', 5, 'now');
  m.removeSplit('b');
  assert.equal(m.current().timeMs, 5);
  m.tick();
  assert.equal(m.current().timeMs, 10);
});

test('WatermarkMerge stays where it is without a split, and with a new one behind', () => {
  const m = merge('a');
  m.advance('a', 10, 'now');
  m.removeSplit('a');
  m.tick();
  assert.deepEqual(m.current(), { timeMs: 10, idle: false });
  m.addSplit('b');
  m.advance('b', 3, 'now');
  assert.equal(m.current().timeMs, 10);
  m.advance('b', 11, 'now');
  assert.equal(m.current().timeMs, 11);
});

test('WatermarkMerge takes deferred watermarks at the tick only', () => {
  const m = merge('a', 'b');
  m.advance('a', 10, 'deferred');
  m.advance('b', 8, 'deferred');
  assert.equal(m.current().timeMs, Number.NEGATIVE_INFINITY);
  m.tick();
  assert.equal(m.current().timeMs, 8);
});

test('WatermarkMerge leaves idle splits out, and is idle when all are', () => {
  const m = merge('a', 'b');
  m.advance('a', 10, 'now');
  m.setIdle('b', true);
  assert.deepEqual(m.current(), { timeMs: 10, idle: false });
  m.setIdle('a', true);
  assert.deepEqual(m.current(), { timeMs: 10, idle: true });
  m.advance('b', 4, 'now');
  assert.deepEqual(m.current(), { timeMs: 10, idle: false });
});

test('WatermarkMerge ignores a split that has left', () => {
  const m = merge('a');
  m.removeSplit('a');
  m.advance('a', 99, 'now');
  m.setIdle('a', true);
  assert.deepEqual(m.current(), { timeMs: Number.NEGATIVE_INFINITY, idle: false });
});
