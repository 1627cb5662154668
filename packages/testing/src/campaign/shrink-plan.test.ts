// Goal: what has nothing to do with the problem goes, what causes it stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawPlan } from './draw-plan.ts';
import { CLEAN_LIFE, type FaultPlan, NO_RATES } from './fault-plan.ts';
import { shrinkPlan, smallerPlans } from './shrink-plan.ts';

const TRAITS = {
  turns: 2_000,
  turnsAlone: 2_500,
  parallelisms: [1, 2, 3],
  usesProcessingTime: false,
  isIdempotent: false,
};

const hasRival = ({ lives }: FaultPlan): boolean =>
  lives.some(({ events, end }) => end === 'power' && events.some(({ kind }) => kind === 'rival'));

test('shrinkPlan leaves only what the problem needs', async () => {
  const drawn = Array.from({ length: 100 }, (_, seed) => drawPlan(seed, TRAITS)).find(
    (plan) => hasRival(plan) && plan.lives.length > 3,
  );
  assert.ok(drawn !== undefined);
  const { plan, tried } = await shrinkPlan(drawn, async (candidate) => hasRival(candidate));
  assert.ok(tried > 10);
  assert.equal(plan.lives.length, 2);
  const life = plan.lives[0]!;
  assert.deepEqual(
    life.events.map(({ kind }) => kind),
    ['rival'],
  );
  assert.deepEqual([life.rates, life.damage, life.parallelism], [NO_RATES, 'none', 1]);
  assert.deepEqual(life.tuning, CLEAN_LIFE.tuning);
  assert.ok(plan.inputSize <= 0.1);
});

test('shrinkPlan gives a plan back that nothing can be taken from', async () => {
  const plan = { seed: 1, inputSize: 1, lives: [CLEAN_LIFE] };
  const { plan: shrunk } = await shrinkPlan(plan, async () => false);
  assert.equal(shrunk, plan);
});

test('shrinkPlan keeps to the number of tries', async () => {
  const { tried } = await shrinkPlan(drawPlan(7, TRAITS), async () => true, 5);
  assert.equal(tried, 5);
});

test('smallerPlans are all smaller: none is the plan itself', () => {
  const plan = drawPlan(3, TRAITS);
  for (const smaller of smallerPlans(plan)) assert.notDeepEqual(smaller, plan);
});
