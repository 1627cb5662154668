import {
  CLEAN_LIFE,
  type FaultPlan,
  type FaultRates,
  type LifePlan,
  NO_RATES,
} from './fault-plan.ts';

/** How a plan was made smaller. */
export interface ShrunkPlan {
  readonly plan: FaultPlan;
  /** Plans tried. */
  readonly tried: number;
}

/**
 * Makes a plan that shows a problem as small as it can: fewer lives, fewer faults, less input,
 * ordinary sizes. Every step is kept only if the problem is still there.
 *
 * @param isBad runs a plan; true: the problem is there
 * @param most plans tried
 */
export async function shrinkPlan(
  plan: FaultPlan,
  isBad: (plan: FaultPlan) => Promise<boolean>,
  most = 300,
): Promise<ShrunkPlan> {
  let smallest = plan;
  let tried = 0;
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false;
    for (let index = 0; tried < most; index++) {
      // The list changes with every success; what was tried without one is not tried again soon.
      const candidate = [...smallerPlans(smallest)][index];
      if (candidate === undefined) break;
      tried++;
      if (!(await isBad(candidate))) continue;
      smallest = candidate;
      hasShrunk = true;
      index--;
    }
  }
  return { plan: smallest, tried };
}

/** Plans that are one step smaller, those that take most away first. */
export function* smallerPlans(plan: FaultPlan): Generator<FaultPlan> {
  const { lives } = plan;
  for (let i = 0; i < lives.length - 1; i++) {
    yield { ...plan, lives: lives.filter((_, index) => index !== i) };
  }
  if (plan.inputSize > 0.1) {
    for (const factor of [0.25, 0.5, 0.75]) yield scaledPlan(plan, factor);
  }
  for (const [i, life] of lives.entries()) {
    for (const smaller of smallerLives(life)) {
      yield { ...plan, lives: lives.map((one, index) => (index === i ? smaller : one)) };
    }
  }
}

function* smallerLives(life: LifePlan): Generator<LifePlan> {
  if (life.events.length > 1) yield { ...life, events: [] };
  for (const event of life.events) {
    yield { ...life, events: life.events.filter((one) => one !== event) };
  }
  for (const name of Object.keys(NO_RATES) as (keyof FaultRates)[]) {
    if (life.rates[name] > 0) yield { ...life, rates: { ...life.rates, [name]: 0 } };
  }
  if (life.damage !== 'none') yield { ...life, damage: 'none' };
  if (life.end === 'power') yield { ...life, end: 'kill' };
  if (life.maxDelayMs !== CLEAN_LIFE.maxDelayMs) {
    yield { ...life, maxDelayMs: CLEAN_LIFE.maxDelayMs };
  }
  for (const part of ['restart', 'checkpoints', 'tuning', 'memory'] as const) {
    if (!isSame(life[part], CLEAN_LIFE[part])) yield { ...life, [part]: CLEAN_LIFE[part] };
  }
  if (life.parallelism > 1) yield { ...life, parallelism: life.parallelism - 1 };
  if (Number.isFinite(life.turns) && life.turns > 10) {
    yield { ...life, turns: Math.floor(life.turns / 2) };
    yield { ...life, turns: life.turns - Math.ceil(life.turns / 10) };
  }
}

// Less input takes fewer turns: what happens at a turn comes as much earlier.
function scaledPlan(plan: FaultPlan, factor: number): FaultPlan {
  const scaled = (turn: number): number => Math.floor(turn * factor);
  return {
    ...plan,
    inputSize: plan.inputSize * factor,
    lives: plan.lives.map((life) => ({
      ...life,
      turns: scaled(life.turns),
      events: life.events.map((event) => ({ ...event, atTurn: scaled(event.atTurn) })),
    })),
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
