// Goal: a window operator of any kind goes on from a snapshot as if nothing had happened. Method:
// the same seeded job over the real stores, once straight through and once with restores after
// which the watermark is given again (it is in no snapshot).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evictors } from '../../function/evictors.ts';
import { triggers } from '../../function/triggers.ts';
import {
  countWindow,
  dynamicSession,
  expandWindow,
  globalWindow,
  session,
  sliding,
  tumbling,
  type WindowDefinition,
} from '../../function/window-assigners.ts';
import type { Trigger } from '../../function/window.ts';
import type { WindowBody, WindowSpec } from '../../graph/operator-spec.ts';
import type { ValueState } from '../../state/descriptors.ts';
import { list, value } from '../../state/descriptors.ts';
import { OperatorBed } from '../operator/operator-test-bed.ts';
import { createWindowOperator } from './window-operator.ts';

interface Row {
  readonly key: string;
  readonly amount: number;
}

const amountOf = (row: unknown): number => (row as Row).amount;

const SUM: WindowBody = {
  kind: 'aggregate',
  aggregate: {
    create: () => 0,
    add: (sum, row) => (sum as number) + amountOf(row),
    merge: (a, b) => (a as number) + (b as number),
  },
};
const COLLECT: WindowBody = { kind: 'collect' };

function specOf(window: WindowDefinition, options: Partial<WindowSpec> = {}): WindowSpec {
  return {
    keyOf: (row) => (row as Row).key,
    ...expandWindow(window),
    allowedLatenessMs: 0,
    lateOutput: 'late',
    body: SUM,
    windowFunction: null,
    ...options,
  };
}

const distance = (older: unknown, newer: unknown): number => amountOf(newer) - amountOf(older);

const SPECS: Readonly<Record<string, WindowSpec>> = {
  tumbling: specOf(tumbling(10)),
  'tumbling with lateness': specOf(tumbling(10), { allowedLatenessMs: 15 }),
  sliding: specOf(sliding(25, 10)),
  'sliding with lateness': specOf(sliding(25, 10), { allowedLatenessMs: 15 }),
  session: specOf(session(7)),
  'session with lateness': specOf(session(7), { allowedLatenessMs: 9, body: COLLECT }),
  'dynamic session': specOf(dynamicSession((row) => 1 + amountOf(row))),
  'count window': specOf(countWindow(3), { body: COLLECT }),
  'sliding count window': specOf(countWindow(5, 2), { body: COLLECT }),
  'session by count': specOf(session(7), { trigger: triggers.count(3) }),
  'purged session': specOf(session(7), {
    trigger: triggers.purging(triggers.eventTime()),
    allowedLatenessMs: 9,
  }),
  'session with early results': specOf(session(7), {
    trigger: triggers.early(triggers.continuousEventTime(4)),
  }),
  'delta trigger': specOf(globalWindow(), { trigger: triggers.delta(3, distance) }),
  'time-out': specOf(globalWindow(), {
    trigger: triggers.timeout(triggers.count(4), { timeoutMs: 20, resetOnRecord: true }) as Trigger,
  }),
  'processing time': specOf(tumbling(30, { time: 'processing' })),
  'processing-time session': specOf(session(20, { time: 'processing' }), { body: COLLECT }),
  'many records': specOf(tumbling(1_000), { body: COLLECT }),
  evictors: specOf(tumbling(20), {
    body: COLLECT,
    trigger: triggers.count(2),
    evictor: evictors.delta(4, distance, { after: true }),
  }),
  'states of a function': specOf(tumbling(20), {
    allowedLatenessMs: 30,
    windowFunction: {
      state: { firings: value(0), totals: list<number>() },
      onWindow([total], { key, window, state, windowState, emit }) {
        const counters = [state, windowState].map((states) => {
          const firings = states.firings as ValueState<number>;
          firings.set(firings.get() + 1);
          return firings.get();
        });
        emit([key, window.endMs, total, ...counters]);
      },
    },
  }),
};

// Numerical Recipes' linear congruential generator: good enough to pick steps.
function randomOf(seed: number): (below: number) => number {
  let state = (seed * 7_919 + 17) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function run(spec: WindowSpec, seed: number, restores: boolean): Promise<unknown[]> {
  const random = randomOf(seed);
  const bed = await OperatorBed.open(() => createWindowOperator(spec));
  const outputs: unknown[] = [];
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < 80; step++) {
    const action = random(10);
    const [key, amount, shift, early] = [random(3), random(8), random(40), random(15)];
    if (action < 7) {
      bed.record({ key: `k${key}`, amount }, step * 2 + shift - 25);
    } else if (action === 7) {
      if (step * 2 - early <= watermarkMs) continue;
      watermarkMs = step * 2 - early;
      bed.watermark(watermarkMs);
    } else if (action === 8) {
      bed.clock(step * 3);
    } else {
      outputs.push(...byKey(bed.take()));
      if (restores) await bed.restore(await bed.snapshot());
      watermarkMs += 1;
      if (watermarkMs > Number.NEGATIVE_INFINITY) bed.watermark(watermarkMs);
    }
    outputs.push(...byKey(bed.take()));
  }
  bed.watermark(Number.POSITIVE_INFINITY);
  outputs.push(...byKey(bed.take()));
  return outputs;
}

// Of one step: watermarks aside, ordered by key, which is all that is promised.
function byKey(outputs: readonly object[]): string[] {
  const texts = outputs
    .filter((output) => 'value' in output)
    .map((output) => JSON.stringify(output));
  const keyOf = (text: string): string => /k\d/.exec(text)![0];
  return texts.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}

for (const [name, spec] of Object.entries(SPECS)) {
  test(`a restore in the middle changes nothing: ${name}`, async () => {
    let outputs = 0;
    for (let seed = 0; seed < 12; seed++) {
      const straight = await run(spec, seed, false);
      assert.deepEqual(await run(spec, seed, true), straight, `seed ${seed}`);
      outputs += straight.length;
    }
    assert.ok(outputs > 20, 'the job says something');
  });
}
