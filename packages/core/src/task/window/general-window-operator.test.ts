import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evictors } from '../../function/evictors.ts';
import { triggers } from '../../function/triggers.ts';
import { globalWindow, session, sliding, tumbling } from '../../function/window-assigners.ts';
import type { Trigger, WindowAssigner, WindowResult } from '../../function/window.ts';
import type { WindowBody, WindowSpec } from '../../graph/operator-spec.ts';
import type { ListState, MapState } from '../../state/descriptors.ts';
import { aggregating, list, map, reducing } from '../../state/descriptors.ts';
import { GeneralWindowOperator } from './general-window-operator.ts';
import { WindowChangedError } from './window-grid-state.ts';
import { createWindowOperator } from './window-operator.ts';
import { PerWindowStateError } from './window-state.ts';
import { WindowBed } from './window-test-bed.ts';

const sum: WindowBody = { kind: 'reduce', reduce: (a, b) => (a as number) + (b as number) };
const collect: WindowBody = { kind: 'collect' };

function specOf(assigner: WindowAssigner, options: Partial<WindowSpec> = {}): WindowSpec {
  return {
    keyOf: () => 'key',
    assigner,
    trigger: null,
    evictor: null,
    allowedLatenessMs: 0,
    lateOutput: null,
    body: sum,
    windowFunction: null,
    ...options,
  };
}

function open(assigner: WindowAssigner, options: Partial<WindowSpec> = {}): WindowBed {
  const spec = specOf(assigner, options);
  return new WindowBed(spec, () => new GeneralWindowOperator(spec));
}

const values = (bed: WindowBed): unknown[] =>
  bed.emitted.splice(0).map(({ value }) => (value as WindowResult<string, unknown>).value);

test('early fires by its inner trigger, at the end and for late records', () => {
  const trigger = triggers.early(triggers.count(2));
  const bed = open(tumbling(10), { trigger, allowedLatenessMs: 5 });
  for (const value of [1, 2, 4]) bed.record(value, 0);
  assert.deepEqual(values(bed), [3]);
  bed.watermark(9);
  assert.deepEqual(values(bed), [7]);
  bed.record(8, 0);
  assert.deepEqual(values(bed), [15]);
  bed.watermark(14);
  assert.deepEqual(bed.live(), { timers: 0, state: 0 });
});

test('continuousEventTime in the global window fires at the end of input and then stops', () => {
  const bed = open(globalWindow(), { trigger: triggers.continuousEventTime(10) });
  bed.record(1, 3);
  bed.watermark(25);
  assert.deepEqual(values(bed), [1, 1]);
  bed.watermark(Number.POSITIVE_INFINITY);
  assert.deepEqual(values(bed), [1, 1]);
  assert.equal(bed.live().timers, 0);
});

test('continuousProcessingTime fires once per tick in a window that is over on the clock', () => {
  const bed = open(tumbling(10), { trigger: triggers.continuousProcessingTime(5) });
  bed.clock(1_000);
  bed.record(1, 3);
  bed.clock(1_001);
  assert.deepEqual(values(bed), [1]);
  bed.clock(1_020);
  bed.record(2, 3);
  bed.clock(1_021);
  assert.deepEqual(values(bed), [3]);
});

test('endOfStream fires the global window once', () => {
  const bed = open(globalWindow({ fire: 'endOfStream' }));
  bed.record(1, Number.NaN);
  bed.record(2, 5);
  bed.watermark(100);
  bed.watermark(Number.POSITIVE_INFINITY);
  assert.deepEqual(bed.emitted, [
    {
      value: {
        key: 'key',
        windowStartMs: Number.NEGATIVE_INFINITY,
        windowEndMs: Number.POSITIVE_INFINITY,
        value: 3,
      },
      timestampMs: Number.POSITIVE_INFINITY,
    },
  ]);
});

test('an evictor that leaves nothing: reduce emits nothing, collect an empty list, once', () => {
  const evictor = { name: 'all', evictBefore: () => [] };
  const trigger = triggers.count(2);
  const reduced = open(globalWindow(), { trigger, evictor });
  const collected = open(globalWindow(), { trigger, evictor, body: collect });
  for (const bed of [reduced, collected]) for (const value of [1, 2]) bed.record(value, 0);
  assert.deepEqual(values(reduced), []);
  assert.deepEqual(values(collected), [[]]);
  assert.deepEqual(collected.live(), { timers: 0, state: 0 });
});

test('a result that is the accumulator is copied while the window lives on', () => {
  const body: WindowBody = {
    kind: 'aggregate',
    aggregate: {
      create: () => [],
      add(all, value) {
        (all as unknown[]).push(value);
        return all;
      },
    },
  };
  const bed = open(globalWindow(), { trigger: triggers.count(1), body });
  for (const value of [1, 2]) bed.record(value, 0);
  assert.deepEqual(values(bed), [[1], [1, 2]]);
});

test('state per window comes in all kinds, and goes with the window', () => {
  const states = {
    sum: reducing<number>((a, b) => a + b),
    mean: aggregating<number, number[], number>({
      create: () => [],
      add: (all, one) => [...all, one],
      result: (all) => all.reduce((a, b) => a + b) / all.length,
    }),
    seen: list<number>(),
    byKey: map<string, number>(),
  };
  const bed = open(tumbling(10), {
    trigger: triggers.early(triggers.count(1)),
    body: collect,
    windowFunction: {
      state: states,
      onWindow(all, { windowState, emit }) {
        const last = [...all].pop() as number;
        const { seen, byKey } = windowState as unknown as {
          seen: ListState<number>;
          byKey: MapState<readonly [string, number], number>;
        };
        seen.add(last);
        byKey.set(['n', last % 2], (byKey.get(['n', last % 2]) ?? 0) + 1);
        for (const name of ['sum', 'mean'] as const) {
          (windowState[name] as { add(value: number): void }).add(last);
        }
        const [total, mean] = ['sum', 'mean'].map((name) =>
          (windowState[name] as { get(): unknown }).get(),
        );
        emit({ value: [total, mean, seen.get(), [...byKey.entries()]] });
      },
    },
  });
  for (const value of [1, 3, 8]) bed.record(value, 0);
  const [, , third] = values(bed);
  assert.deepEqual(third, [
    12,
    4,
    [1, 3, 8],
    [
      [['n', 1], 2],
      [['n', 0], 1],
    ],
  ]);
  bed.watermark(9);
  assert.deepEqual(bed.live(), { timers: 0, state: 0 });
});

test('a promise from a function of the user is refused when a window fires', () => {
  const later = (): Promise<void> => Promise.resolve();
  for (const options of [
    { windowFunction: { onWindow: later } },
    { body: { kind: 'reduce', reduce: later } },
  ] as const) {
    for (const evictor of [null, evictors.count(5)]) {
      const spec = specOf(tumbling(10), { ...options, evictor });
      const bed = new WindowBed(spec, () => createWindowOperator(spec));
      for (const value of [1, 2]) bed.record(value, 0);
      assert.throws(() => bed.watermark(9), /promise/);
    }
  }
});

test('sessions refuse state per window when it is touched', () => {
  const spec = specOf(session(10), {
    windowFunction: { onWindow: (_values, context) => void context.windowState },
  });
  for (const make of [() => new GeneralWindowOperator(spec), () => createWindowOperator(spec)]) {
    const bed = new WindowBed(spec, make);
    bed.record(1, 0);
    assert.throws(() => bed.watermark(9), PerWindowStateError);
  }
});

test('a trigger of sessions sees merged state, and timers of merged windows stay silent', () => {
  const log: unknown[] = [];
  const trigger: Trigger = {
    name: 'logging',
    state: { count: reducing<number>((a, b) => a + b) },
    onRecord(_value, _timestampMs, window, { registerEventTime, state }) {
      (state.count as { add(value: number): void }).add(1);
      registerEventTime(window.endMs + 5);
      return 'continue';
    },
    onEventTime(timeMs, window) {
      log.push(['timer', timeMs, window]);
      return 'fire';
    },
    onProcessingTime: () => 'continue',
    onMerge(window, { state }) {
      log.push(['merge', window, (state.count as { get(): unknown }).get()]);
    },
    clear() {}, // forgets its timers
  };
  const bed = open(session(10), { trigger, body: collect, allowedLatenessMs: 100 });
  bed.record('a', 0);
  bed.record('b', 20);
  bed.record('c', 10);
  assert.deepEqual(log.splice(0), [['merge', { startMs: 0, endMs: 30 }, 2]]);
  bed.watermark(40);
  assert.deepEqual(log, [['timer', 35, { startMs: 0, endMs: 30 }]]);
  assert.deepEqual(values(bed), [['a', 'b', 'c']]);
});

test('a restore under another size or slide is refused by all aligned windows', () => {
  const evictor = evictors.count(1);
  for (const [before, after] of [
    [specOf(tumbling(10)), specOf(tumbling(20))],
    [specOf(tumbling(10)), specOf(tumbling(10, { offsetMs: 1 }))],
    [specOf(sliding(10, 5)), specOf(sliding(10, 2))],
    [specOf(tumbling(10), { evictor }), specOf(tumbling(20), { evictor })],
  ] as const) {
    const bed = new WindowBed(before, () => createWindowOperator(before));
    bed.record(1, 0);
    const snapshot = bed.snapshot();
    const next = new WindowBed(after, () => createWindowOperator(after));
    assert.throws(() => next.restore(snapshot, 1), WindowChangedError);
  }
});
