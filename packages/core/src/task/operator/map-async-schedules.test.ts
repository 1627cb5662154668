import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperatorSnapshot } from '../../state/snapshot.ts';
import { createOperator } from './create-operator.ts';
import { type Emitted, OperatorBed } from './operator-test-bed.ts';

type Input = { readonly id: number } | { readonly watermark: number };

/** A cut: where the input and the output stood at a snapshot. */
interface Cut {
  readonly snapshot: OperatorSnapshot;
  readonly inputs: number;
  readonly outputs: number;
}

function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 9) % limit;
  };
}

function inputsOf(random: (limit: number) => number): Input[] {
  return Array.from({ length: 60 }, (_, i) => (random(5) === 0 ? { watermark: i } : { id: i }));
}

async function run(order: 'ordered' | 'unordered', inputs: readonly Input[], seed: number) {
  const random = randomBelow(seed);
  let open: (() => void)[] = [];
  const call = (value: unknown) => new Promise((answer) => open.push(() => answer(value)));
  const options = { order, capacity: 1 + random(6) };
  const bed = await OperatorBed.open(() => createOperator({ kind: 'mapAsync', call, options }));
  bed.yieldAlways = random(2) === 0;
  let out: Emitted[] = [];
  let cut: Cut | null = null;
  let at = 0;
  while (at < inputs.length || bed.operator.finish?.() === false) {
    const action = random(12);
    if (action < 5 && at < inputs.length && bed.operator.isBlocked?.() === false) {
      const input = inputs[at++]!;
      if ('id' in input) bed.record(input.id, input.id);
      else bed.watermark(input.watermark);
    } else if (action < 10) {
      const [answer] = open.splice(random(open.length), 1);
      answer?.();
      await bed.settle();
    } else if (action === 10 && at < inputs.length) {
      out.push(...bed.take());
      cut = { snapshot: await bed.snapshot(), inputs: at, outputs: out.length };
    } else if (cut !== null && random(4) === 0 && at < inputs.length) {
      open = []; // the answers of the dead attempt never come
      await bed.restore(cut.snapshot);
      bed.take();
      at = cut.inputs;
      out = out.slice(0, cut.outputs);
    }
    out.push(...bed.take());
  }
  return [...out, ...bed.take()];
}

// Goal: every input comes out exactly once and no watermark is overtaken, whatever the order of
// answers, barriers and crashes. Method: random schedules; a crash takes back what came out after
// the last snapshot, as a transactional sink would. A watermark that was held back at the snapshot
// is lost with it (watermarks are in no snapshot), so only those that come out are checked.
test('mapAsync emits each input once and keeps watermarks in place over crashes', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    for (const order of ['ordered', 'unordered'] as const) {
      const inputs = inputsOf(randomBelow(seed));
      const out = await run(order, inputs, seed * 31);
      const ids = inputs.flatMap((input) => ('id' in input ? [input.id] : []));
      const emitted = out.flatMap((one) => ('value' in one ? [one.value as number] : []));
      if (order === 'ordered') assert.deepEqual(emitted, ids);
      assert.deepEqual(
        [...emitted].sort((a, b) => a - b),
        ids,
      );
      let seen = 0;
      for (const one of out) {
        if ('value' in one) seen++;
        else if ('watermark' in one) {
          assert.equal(seen, ids.filter((id) => id < one.watermark).length);
          assert.ok(emitted.slice(0, seen).every((id) => id < one.watermark));
        }
      }
    }
  }
});
