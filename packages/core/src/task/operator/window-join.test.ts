import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WindowJoinBody } from '../../graph/operator-spec.ts';
import type { WindowAssigner } from '../../function/window.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

const SECOND: WindowAssigner = { kind: 'tumbling', sizeMs: 1_000, offsetMs: 0, time: 'event' };
const pairs: WindowJoinBody = { kind: 'join', join: (left, right) => `${left}-${right}` };

function open(
  body: WindowJoinBody,
  allowedLatenessMs = 0,
  assigner: WindowAssigner = SECOND,
): Promise<OperatorBed> {
  return OperatorBed.open(() =>
    createOperator({
      kind: 'windowJoin',
      keyOf1: (value) => (value as string)[0]!,
      keyOf2: (value) => (value as string)[0]!,
      assigner,
      trigger: null,
      allowedLatenessMs,
      body,
    }),
  );
}

test('windowJoin emits all pairs of a key and window at its end', async () => {
  const bed = await open(pairs);
  bed.record('a1', 10);
  bed.record('a2', 20);
  bed.record('b1', 20);
  bed.record2('a3', 900);
  await bed.restore(await bed.snapshot());
  bed.record2('a4', 1_000);
  bed.watermark(999);
  assert.deepEqual(bed.take(), [
    { value: 'a1-a3', at: 999 },
    { value: 'a2-a3', at: 999 },
    { watermark: 999 },
  ]);
  bed.watermark(1_999);
  assert.equal(bed.keyed.isEmpty(), true);
});

test('windowJoin fires all pairs again for a late record', async () => {
  const bed = await open(pairs, 5_000);
  bed.record('a1', 10);
  bed.record2('a2', 20);
  bed.watermark(999);
  assert.deepEqual(bed.values(), ['a1-a2']);
  bed.record2('a3', 30);
  assert.deepEqual(bed.values(), ['a1-a2', 'a1-a3']);
});

test('windowJoin co-groups both sides, also when one is empty', async () => {
  const bed = await open({
    kind: 'coGroup',
    coGroup: { onWindow: (left, right, { emit, key }) => emit([key, left, right]) },
  });
  bed.record('a1', 1);
  bed.record2('a2', 2);
  bed.record2('b1', 3);
  bed.watermark(999);
  assert.deepEqual(bed.values().sort(), [
    ['a', ['a1'], ['a2']],
    ['b', [], ['b1']],
  ]);
});

test('windowJoin gives the gap function of sessions the record itself', async () => {
  const bed = await open(pairs, 0, {
    kind: 'dynamicSession',
    gapMs: (value) => Number((value as string).slice(1)),
    time: 'event',
  });
  bed.record('a50', 0);
  bed.record2('a10', 40);
  bed.watermark(49);
  assert.deepEqual(bed.values(), ['a50-a10']);
});

test('windowJoin refuses promises', async () => {
  const refused = { code: 'PROMISE_IN_SYNC_FUNCTION' };
  for (const body of [
    { kind: 'join', join: async () => 1 },
    { kind: 'coGroup', coGroup: { onWindow: async () => {} } },
  ] as const) {
    const bed = await open(body);
    bed.record('a', 1);
    bed.record2('a', 1);
    assert.throws(() => bed.watermark(999), refused);
  }
});
