// The pure parts of windows: assignment, slices, merging, the heap of times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dynamicSession,
  globalWindow,
  sliding,
  tumbling,
} from '../../function/window-assigners.ts';
import type { WindowAssigner } from '../../function/window.ts';
import { planMerge } from './merging-windows.ts';
import { SliceGrid } from './slice-grid.ts';
import { TimeHeap } from './time-heap.ts';
import {
  assignWindows,
  GLOBAL_WINDOW,
  gridStart,
  InvalidSessionGapError,
  MissingTimestampError,
} from './window-assignment.ts';

const startsOf = (assigner: WindowAssigner, timeMs: number): number[] =>
  assignWindows(assigner, null, timeMs).map(({ startMs }) => startMs);

test('gridStart is the greatest grid point at or before a time, also below zero', () => {
  assert.equal(gridStart(0, 0, 10), 0);
  assert.equal(gridStart(9, 0, 10), 0);
  assert.equal(gridStart(-1, 0, 10), -10);
  assert.equal(gridStart(-10, 0, 10), -10);
  assert.equal(gridStart(2, 3, 10), -7);
  assert.equal(gridStart(7, -3, 10), 7);
  assert.equal(gridStart(9_007_199_254_739_500, 0, 1_000), 9_007_199_254_739_000);
});

test('assignWindows gives sliding windows latest first, and none in a hole', () => {
  assert.deepEqual(startsOf(sliding(25, 10), 4), [0, -10, -20]);
  assert.deepEqual(startsOf(sliding(25, 10), 5), [0, -10]);
  assert.deepEqual(startsOf(sliding(2, 10), 4), []);
});

test('assignWindows refuses a time that is no time, except in the global window', () => {
  for (const timeMs of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
    assert.throws(() => assignWindows(tumbling(10), null, timeMs), MissingTimestampError);
    assert.deepEqual(assignWindows(globalWindow(), null, timeMs), [GLOBAL_WINDOW]);
  }
});

test('assignWindows refuses the gap of a record that is not above zero', () => {
  for (const gapMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const assigner = dynamicSession(() => gapMs);
    assert.throws(() => assignWindows(assigner, null, 0), InvalidSessionGapError);
  }
});

test('planMerge joins windows that touch, and leaves those one millisecond apart', () => {
  const live = [
    { startMs: 30, endMs: 40 },
    { startMs: 0, endMs: 10 },
  ];
  assert.deepEqual(planMerge(live, { startMs: 10, endMs: 30 }), {
    window: { startMs: 0, endMs: 40 },
    absorbed: [1, 0],
  });
  assert.deepEqual(planMerge(live, { startMs: 11, endMs: 29 }), {
    window: { startMs: 11, endMs: 29 },
    absorbed: [],
  });
  assert.deepEqual(planMerge(live, { startMs: 2, endMs: 4 }), {
    window: { startMs: 0, endMs: 10 },
    absorbed: [1],
  });
});

test('SliceGrid cuts time so that each slice is in the same windows all through', () => {
  for (const [sizeMs, slideMs, offsetMs] of [
    [20, 10, 0],
    [25, 10, 3],
    [7, 10, -2],
    [10, 10, 0],
    [1, 3, 1],
  ] as const) {
    const grid = new SliceGrid(sizeMs, slideMs, offsetMs);
    const assigner = sliding(sizeMs, slideMs, { offsetMs });
    for (let timeMs = -60; timeMs < 60; timeMs++) {
      const startMs = grid.sliceStart(timeMs);
      assert.ok(startMs <= timeMs && timeMs < grid.nextSlice(startMs));
      const ends = assignWindows(assigner, null, timeMs).map(({ endMs }) => endMs);
      assert.deepEqual(
        ends,
        startsOf(assigner, startMs).map((start) => start + sizeMs),
      );
      assert.equal(grid.lastEnd(startMs) > startMs, ends.length > 0);
      if (ends.length === 0) continue;
      assert.equal(grid.lastEnd(startMs), ends[0]);
      assert.equal(grid.firstEnd(startMs), ends[ends.length - 1]);
      const after = ends[ends.length - 1]!;
      assert.equal(grid.firstEnd(startMs, after - 1), after);
      if (ends.length > 1) assert.equal(grid.firstEnd(startMs, after), after + slideMs);
    }
  }
});

test('TimeHeap gives its items in the order of their times', () => {
  const heap = new TimeHeap<number>();
  const times = Array.from({ length: 500 }, (_, i) => (i * 7_919) % 211);
  for (const [i, time] of times.entries()) {
    heap.push(time, time);
    if (i % 3 === 2) assert.equal(heap.earliestMs(), heap.pop());
  }
  let last = Number.NEGATIVE_INFINITY;
  while (heap.size > 0) {
    assert.equal(heap.earliestMs(), heap.pop());
    assert.ok(heap.size === 0 || heap.earliestMs() >= last);
    last = heap.earliestMs();
  }
});
