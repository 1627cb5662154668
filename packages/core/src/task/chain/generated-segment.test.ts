import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '../../element/batch.ts';
import { generateSegment, type InlinedOperator } from './generated-segment.ts';
import type { LoopRecord, LoopWriter } from '../operator/loop-writer.ts';
import type { Operator, Output } from '../operator/operator.ts';
import {
  CoreInput,
  FanOutOutput,
  FilterOutput,
  FlatMapOutput,
  MapOutput,
  type OperatorInput,
} from './operator-inputs.ts';
import { PushSegment } from './segment.ts';

type Step = readonly ['map' | 'filter' | 'flatMap', Function];

class Collect implements OperatorInput {
  recordsIn = 0;
  active = false;
  readonly got: unknown[] = [];
  emit(value: unknown, timestampMs: number): void {
    this.recordsIn++;
    this.got.push([value, timestampMs]);
  }
}

function build(steps: readonly Step[], generated: boolean) {
  const last = new Collect();
  let next: OperatorInput = last;
  const inlined: InlinedOperator[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    const [kind, call] = steps[i]!;
    const uid = `${kind}-${i}`;
    const output = next;
    const input: OperatorInput =
      kind === 'map'
        ? new MapOutput(uid, call as (v: unknown) => unknown, next)
        : kind === 'filter'
          ? new FilterOutput(uid, call as (v: unknown) => boolean, next)
          : new FlatMapOutput(uid, call as (v: unknown, e: (v: unknown) => void) => void, next);
    inlined.unshift({ index: i, uid, input, output, body: { kind, call } });
    next = input;
  }
  const signal = { stop: false };
  const operatorAt = (output: Output) => inlined.find(({ input }) => input === output);
  const plan = { uid: 'head', entry: next, operatorAt, afterRecord: null };
  const segment = generated ? generateSegment(plan, signal) : new PushSegment('head', next, signal);
  return { segment, last, inlined, signal };
}

const CHAINS: Record<string, readonly Step[]> = {
  'map and filter': [
    ['map', (v: number) => v + 1],
    ['filter', (v: number) => v % 2 === 0],
    ['map', (v: number) => `n${v}`],
  ],
  'flatMap in the middle': [
    ['filter', (v: number) => v !== 3],
    [
      'flatMap',
      (v: number, emit: (x: number) => void) => {
        for (let i = 0; i < v % 4; i++) emit(v * 10 + i);
      },
    ],
    ['filter', (v: number) => v % 3 !== 0],
    ['map', (v: number) => -v],
  ],
  'flatMap at the end, truthy filter': [
    ['filter', (v: number) => v & 1],
    ['flatMap', (v: number, emit: (x: number) => void) => [v, v].forEach((x) => emit(x))],
  ],
  'nothing to inline': [],
};

for (const [name, steps] of Object.entries(CHAINS)) {
  test(`generated segment equals the push interpreter: ${name}`, () => {
    const batch = Batch.of(
      Array.from({ length: 50 }, (_, i) => i),
      Array.from({ length: 50 }, (_, i) => i * 1_000),
    );
    const [pushed, generated] = [build(steps, false), build(steps, true)];
    for (const { segment } of [pushed, generated]) {
      assert.equal(segment.run(batch, 0, 20), 20);
      assert.equal(segment.run(batch, 20, 50), 50);
    }
    assert.deepEqual(generated.last.got, pushed.last.got);
    const counts = (one: typeof pushed) => one.inlined.map((op) => op.input.recordsIn);
    assert.deepEqual(counts(generated), counts(pushed));
  });
}

for (const generated of [false, true]) {
  const name = generated ? 'generated' : 'push';
  test(`${name} segment marks the operator that threw and the record's index`, () => {
    const { segment, inlined } = build(
      [
        ['map', (v: number) => v],
        [
          'map',
          (v: number) => {
            if (v === 7) throw new Error('seven');
            return v;
          },
        ],
      ],
      generated,
    );
    const batch = Batch.of([5, 6, 7, 8]);
    assert.throws(() => segment.run(batch, 0, 4), /seven/);
    assert.equal(segment.position, 2);
    assert.equal(inlined[1]!.input.active, true);
  });

  test(`${name} segment stops between two records when told to`, () => {
    const { segment, signal, last } = build(
      [
        [
          'map',
          (v: number) => {
            if (v === 1) signal.stop = true;
            return v;
          },
        ],
      ],
      generated,
    );
    assert.equal(segment.run(Batch.of([0, 1, 2, 3]), 0, 4), 2);
    assert.equal(last.got.length, 2);
  });

  test(`${name} segment refuses a promise from a map`, () => {
    const { segment } = build([['map', async (v: number) => v]], generated);
    assert.throws(() => segment.run(Batch.of([1]), 0, 1), { code: 'PROMISE_IN_SYNC_FUNCTION' });
  });
}

// Goal: an operator's own text, and several readers of one output. Method: a running sum that is
// read by a collector and by a map with a collector behind it.
class RunningSum implements Operator {
  sum = 0;
  readonly output: Output;
  constructor(output: Output) {
    this.output = output;
  }
  open(): void {}
  close(): void {}
  process(value: unknown, timestampMs: number): void {
    this.output.emit(this.add(value as number), timestampMs);
  }
  add(value: number): number {
    if (value === 13) throw new Error('thirteen');
    this.sum += value;
    return this.sum;
  }
  inline(loop: LoopWriter, { value }: LoopRecord): string {
    const sum = loop.local();
    return `const ${sum} = ${loop.bind(this)}.add(${value}); ${loop.next(sum)}`;
  }
}

function buildTree(generated: boolean) {
  const [left, right] = [new Collect(), new Collect()];
  const negate = (v: unknown): unknown => -(v as number);
  const map = new MapOutput('negate', negate, right);
  const output = new FanOutOutput([left, map]);
  const operator = new RunningSum(output);
  const input = new CoreInput(operator);
  const inlined: InlinedOperator[] = [
    { index: 0, uid: 'sum', input, output, body: { kind: 'operator', operator } },
    { index: 1, uid: 'negate', input: map, output: right, body: { kind: 'map', call: negate } },
  ];
  const signal = { stop: false };
  const operatorAt = (one: Output) => inlined.find((each) => each.input === one);
  const segment = generated
    ? generateSegment({ uid: 'head', entry: input, operatorAt, afterRecord: null }, signal)
    : new PushSegment('head', input, signal);
  return { segment, left, right, inlined };
}

test('generated segment equals the push interpreter: an operator of its own and a fan-out', () => {
  const batch = Batch.of([1, 2, 3, 4], [10, 20, 30, 40]);
  const trees = [buildTree(false), buildTree(true)];
  for (const { segment } of trees) assert.equal(segment.run(batch, 0, 4), 4);
  const [pushed, generated] = trees.map(({ left, right, inlined }) => ({
    got: [left.got, right.got],
    counts: inlined.map(({ input }) => input.recordsIn),
  }));
  assert.deepEqual(generated, pushed);
  assert.deepEqual(generated!.got[1]![3], [-10, 40]);
  assert.deepEqual(generated!.counts, [4, 4]);
});

test('generated segment marks an operator that threw in its own text', () => {
  const { segment, inlined } = buildTree(true);
  assert.throws(() => segment.run(Batch.of([1, 13]), 0, 2), /thirteen/);
  assert.equal(segment.position, 1);
  assert.deepEqual(
    inlined.map(({ input }) => input.active),
    [true, false],
  );
});
