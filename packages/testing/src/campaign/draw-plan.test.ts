// Goal: a plan is a function of its seed, every plan hurts, and over many seeds everything happens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawPlan, type JobTraits } from './draw-plan.ts';
import { NO_RATES } from './fault-plan.ts';

const TRAITS: JobTraits = {
  turns: 2_000,
  turnsAlone: 2_500,
  parallelisms: [1, 2, 3],
  usesProcessingTime: false,
  isIdempotent: false,
};

const PLANS = Array.from({ length: 500 }, (_, seed) => drawPlan(seed, TRAITS));

test('drawPlan gives the same plan for the same seed', () => {
  for (const plan of PLANS) assert.deepEqual(drawPlan(plan.seed, TRAITS), plan);
});

test('drawPlan begins with a life that dies and ends with one that is left in peace', () => {
  for (const { lives } of PLANS) {
    assert.ok(lives.length >= 2);
    for (const life of lives.slice(0, -1)) assert.ok(life.turns < 2_000 * 5);
    const last = lives.at(-1)!;
    assert.deepEqual(last.rates, NO_RATES);
    assert.deepEqual([last.events, last.turns, last.damage], [[], Infinity, 'none']);
  }
});

test('drawPlan keeps the events of a life in order', () => {
  for (const life of PLANS.flatMap(({ lives }) => lives)) {
    const turns = life.events.map(({ atTurn }) => atTurn);
    assert.deepEqual(
      turns,
      [...turns].sort((a, b) => a - b),
    );
  }
});

test('drawPlan switches every kind of fault on in some seeds and off in others', () => {
  const kinds = new Map<string, number>();
  const count = (kind: string): void => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  for (const { lives } of PLANS) {
    const inPlan = new Set<string>();
    for (const { rates, events, damage, end, restart } of lives.slice(0, -1)) {
      for (const [name, every] of Object.entries(rates)) if (every > 0) inPlan.add(name);
      for (const { kind } of events) inPlan.add(kind);
      inPlan.add(`damage ${damage}`).add(`end ${end}`).add(`restart ${restart.kind}`);
    }
    if (new Set(lives.map(({ parallelism }) => parallelism)).size > 1) inPlan.add('rescale');
    for (const kind of inPlan) count(kind);
  }
  const rates = Object.keys(NO_RATES);
  const events = ['rival', 'pause', 'resume', 'clock', 'full', 'room', 'savepoint', 'cancel'];
  const others = ['rescale', 'end power', 'end kill', 'damage manifest', 'damage run'];
  for (const kind of [...rates, ...events, ...others]) {
    const times = kinds.get(kind) ?? 0;
    assert.ok(times > 5 && times < PLANS.length, `${kind}: ${times} of ${PLANS.length}`);
  }
});

test('drawPlan leaves the clock alone where output depends on it', () => {
  const traits = { ...TRAITS, usesProcessingTime: true };
  const lives = PLANS.flatMap(({ seed }) => drawPlan(seed, traits).lives);
  assert.ok(!lives.some(({ events }) => events.some(({ kind }) => kind === 'clock')));
});
