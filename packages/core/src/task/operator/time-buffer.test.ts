import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeBuffer } from './time-buffer.ts';

interface Item {
  readonly timeMs: number;
  readonly name: string;
}

function filled(...times: number[]): TimeBuffer<Item> {
  const buffer = new TimeBuffer<Item>();
  times.forEach((timeMs, i) => void buffer.add({ timeMs, name: `${timeMs}/${i}` }));
  return buffer;
}

function range(buffer: TimeBuffer<Item>, lowest: number, highest: number): string[] {
  const names: string[] = [];
  buffer.visitRange(lowest, highest, ({ name }) => names.push(name));
  return names;
}

test('TimeBuffer visits a range from the latest time, equal times in the order they came', () => {
  const buffer = filled(10, 30, 20, 20, 5);
  assert.deepEqual(range(buffer, 10, 20), ['20/2', '20/3', '10/0']);
  assert.deepEqual(range(buffer, 6, 9), []);
  assert.deepEqual(range(buffer, 31, 99), []);
  assert.deepEqual(range(buffer, -1, 99), ['30/1', '20/2', '20/3', '10/0', '5/4']);
});

test('TimeBuffer removes from the front up to and including a time', () => {
  const buffer = filled(10, 30, 20);
  const removed: number[] = [];
  buffer.removeThrough(20, ({ timeMs }) => removed.push(timeMs));
  assert.deepEqual(removed, [10, 20]);
  assert.equal(buffer.size, 1);
  assert.equal(buffer.firstMs, 30);
  buffer.removeThrough(30, () => {});
  assert.equal(buffer.firstMs, Number.POSITIVE_INFINITY);
});

test('TimeBuffer keeps its order while elements come and go', () => {
  const buffer = new TimeBuffer<Item>();
  for (let t = 0; t < 1_000; t++) {
    buffer.add({ timeMs: t, name: `${t}` });
    if (t % 3 === 0) buffer.add({ timeMs: Math.max(t - 7, 0), name: `${t} late` });
    buffer.removeThrough(t - 20, () => {});
  }
  assert.equal(buffer.firstMs, 980);
  const times = range(buffer, 0, 2_000).map((name) => name);
  assert.equal(times.length, buffer.size);
  assert.equal(times[0], '999');
});
