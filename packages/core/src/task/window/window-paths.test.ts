// Goal: the fast operators, the general one and brute force agree. Method: seeded jobs with late
// and early records, restores, rescales and firings that stop between keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { session, sliding, tumbling } from '../../function/window-assigners.ts';
import type { WindowAssigner, WindowResult } from '../../function/window.ts';
import type { WindowBody, WindowSpec } from '../../graph/operator-spec.ts';
import { windowPathOf, type WindowPath } from '../../graph/window-path.ts';
import { GeneralWindowOperator } from './general-window-operator.ts';
import { type ModelRecord, type ModelResult, WindowModel } from './window-model.ts';
import { createWindowOperator } from './window-operator.ts';
import { WindowBed } from './window-test-bed.ts';

interface Sum {
  count: number;
  total: number;
}

// Changes accumulators in place, and emits them as they are: what is not copied shows.
const SUM: WindowBody = {
  kind: 'aggregate',
  aggregate: {
    create: (): Sum => ({ count: 0, total: 0 }),
    add: (sum, value) => plus(sum as Sum, 1, (value as ModelRecord).amount),
    merge: (a, b) => plus(a as Sum, (b as Sum).count, (b as Sum).total),
  },
};

function plus(sum: Sum, count: number, total: number): Sum {
  sum.count += count;
  sum.total += total;
  return sum;
}

// mulberry32
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

function specOf(assigner: WindowAssigner, allowedLatenessMs: number): WindowSpec {
  return {
    keyOf: (value) => (value as ModelRecord).key,
    assigner,
    trigger: null,
    evictor: null,
    allowedLatenessMs,
    lateOutput: null,
    body: SUM,
    windowFunction: null,
  };
}

function resultsOf(bed: WindowBed): ModelResult[] {
  return bed.emitted.map(({ value, timestampMs }) => {
    const { key, windowStartMs, windowEndMs, value: sum } = value as WindowResult<string, Sum>;
    assert.equal(timestampMs, windowEndMs - 1);
    return { key, startMs: windowStartMs, endMs: windowEndMs, ...sum };
  });
}

const byKey = (results: readonly ModelResult[]): ModelResult[] =>
  [...results].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

/** One seeded job on all implementations; results are looked at after the last step only. */
function compare(seed: number, spec: WindowSpec, path: WindowPath): void {
  const random = randomOf(seed);
  assert.equal(windowPathOf(spec), path);
  const fast = new WindowBed(spec, () => createWindowOperator(spec), 1, 8);
  const general = new WindowBed(spec, () => new GeneralWindowOperator(spec), 1, 8);
  const model = new WindowModel(spec.assigner, spec.allowedLatenessMs);
  fast.shouldYield = () => random(3) === 0;
  const marks: number[] = [];
  let now = random(50) - 25;
  for (let step = 0; step < 40; step++) {
    const action = random(20);
    if (action < 14) {
      const record = { key: 'abcd'[random(4)]!, amount: random(9) };
      const timestampMs = now + random(40) - 25;
      for (const target of [fast, general, model]) target.record(record, timestampMs);
    } else if (action < 18 || step === 39) {
      now += random(20);
      for (const target of [fast, general, model]) target.watermark(now);
    } else if (action === 18) {
      fast.snapshot(); // a checkpoint: what changes from here on must be announced
      general.snapshot();
    } else {
      const parallelism = 1 + random(3);
      fast.restore(fast.snapshot(), parallelism);
      general.restore(general.snapshot(), parallelism);
      model.restore();
      now -= random(30);
    }
    marks.push(model.results.length);
    assert.equal(fast.emitted.length, model.results.length, `seed ${seed}, step ${step}`);
  }
  for (const target of [fast, general, model]) target.watermark(1_000);
  marks.push(model.results.length);
  const expected = model.results;
  for (const [name, results] of [
    ['fast', resultsOf(fast)],
    ['general', resultsOf(general)],
  ] as const) {
    let from = 0;
    for (const to of marks) {
      const got = results.slice(from, to);
      assert.deepEqual(byKey(got), byKey(expected.slice(from, to)), `seed ${seed}, ${name}`);
      from = to;
    }
    assert.equal(results.length, expected.length);
  }
  assert.deepEqual([fast.dropped, general.dropped], [model.dropped, model.dropped], `seed ${seed}`);
  assert.ok(model.isEmpty);
  assert.deepEqual([fast.live(), general.live()], [NOTHING, NOTHING], `seed ${seed}`);
}

const NOTHING = { timers: 0, state: 0 };
const SEEDS = 800;

test('tumbling windows agree with brute force, with and without allowed lateness', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = randomOf(~seed);
    const sizeMs = 1 + random(20);
    const assigner = tumbling(sizeMs, { offsetMs: random(sizeMs) - random(sizeMs) });
    compare(seed, specOf(assigner, seed % 2 === 0 ? 0 : random(30)), 'tumbling');
  }
});

test('sliding windows agree with brute force, also with uneven ratios and holes', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = randomOf(~seed);
    const slideMs = 1 + random(12);
    const assigner = sliding(1 + random(30), slideMs, { offsetMs: random(slideMs) });
    compare(seed, specOf(assigner, 0), 'sliding');
  }
});

test('session windows agree with brute force', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    compare(seed, specOf(session(1 + (seed % 12)), 0), 'session');
  }
});

test('the general path agrees with brute force where windows are late and slide or merge', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const assigner = seed % 2 === 0 ? session(1 + (seed % 12)) : sliding(12, 1 + (seed % 9));
    compare(seed, specOf(assigner, 1 + (seed % 20)), 'general');
  }
});
