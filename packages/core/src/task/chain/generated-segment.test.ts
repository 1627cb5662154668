import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '../../element/batch.ts';
import { generateSegment, type InlinedOperator } from './generated-segment.ts';
import type { Output } from '../operator/operator.ts';
import { FilterOutput, FlatMapOutput, MapOutput, type OperatorInput } from './operator-inputs.ts';
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
