import { AssertionError } from 'node:assert';
import type { JobDefinition } from '@millrace/core';
import type { FaultPlan } from '../campaign/fault-plan.ts';
import { SeedRunner } from '../campaign/run-seed.ts';
import type { SeedOutcome } from '../campaign/seed-outcome.ts';
import { shrinkPlan } from '../campaign/shrink-plan.ts';
import { type FaultKind, restrictPlan } from './fault-kinds.ts';
import { assertProvesSomething, DIFFERS_ANYWAY, tellOutcome } from './simulation-story.ts';
import { campaignJobOf, rehearse, type SimulatedJobOptions } from './simulated-job.ts';

/** A smaller case is worth so many runs. */
const SHRINKING_RUNS = 100;

/** How much is tried. */
export interface SimulateOptions extends SimulatedJobOptions {
  /** Default 20. */
  readonly seeds?: number;
  /** Default 1. */
  readonly firstSeed?: number;
  /** Crashes always come; which other faults each seed may switch on. Default: all. */
  readonly faults?: 'all' | readonly FaultKind[];
}

/** What was tried, when nothing was wrong. */
export interface SimulationSummary {
  readonly seeds: number;
  /** Turns of all seeds together: where something could have happened. */
  readonly turns: number;
  /** Powers lost and processes killed. */
  readonly crashes: number;
  /** Completed ones. */
  readonly checkpoints: number;
  /** Starts from a checkpoint after a crash. If they are few, the input is too short. */
  readonly restores: number;
  readonly virtualMs: number;
  /** How often each kind of fault struck. */
  readonly faults: Readonly<Record<string, number>>;
}

/**
 * Runs a job unchanged in a virtual world, once per seed, with crashes and faults drawn from the
 * seed, and compares what it has committed at the end with what it commits without them. Equal
 * seeds give equal runs, turn for turn.
 *
 * Everything the job touches must be virtual: files (through the environment's file system), and
 * sinks in memory. The input must have an end.
 *
 * @throws AssertionError that names the first seed with a difference, how to see it again, and
 *   what happened, without all that a difference does not need; what the job fails with by
 *   itself; SimulationStuckError if it waits for something real
 */
export async function simulate(
  job: JobDefinition,
  options: SimulateOptions = {},
): Promise<SimulationSummary> {
  const { seeds = 20, firstSeed = 1, faults = 'all' } = options;
  const rehearsal = await rehearse(job, options);
  assertProvesSomething(job.name, rehearsal.recordsCommitted);
  const runner = new SeedRunner();
  const campaignJob = campaignJobOf(job, options, rehearsal);
  const outcomes: SeedOutcome[] = [];
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const drawn = quickened(await runner.planOf(campaignJob, seed));
    const plan = faults === 'all' ? drawn : restrictPlan(drawn, faults);
    const outcome = await runner.run(campaignJob, seed, { plan });
    if (outcome.problems.length > 0) {
      const isBad = async (one: FaultPlan): Promise<boolean> =>
        (await runner.run(campaignJob, seed, { plan: one })).problems.length > 0;
      const calm = restrictPlan({ ...plan, lives: plan.lives.slice(-1) }, []);
      if (await isBad(calm)) throw failure(outcome, seed, DIFFERS_ANYWAY);
      const { plan: small } = await shrinkPlan(plan, isBad, SHRINKING_RUNS);
      throw failure(await runner.run(campaignJob, seed, { plan: small }), seed, '');
    }
    outcomes.push(outcome);
  }
  return summaryOf(outcomes);
}

function failure(outcome: SeedOutcome, seed: number, hint: string): AssertionError {
  const what = `job "${outcome.job}" went wrong with seed ${seed}`;
  const again = `simulate(job, { ...options, firstSeed: ${seed}, seeds: 1 })`;
  return new AssertionError({
    message: `${what}\n${tellOutcome(outcome, again, hint)}`,
    actual: outcome.problems.map(({ message }) => message),
    expected: [],
    operator: 'simulate',
  });
}

// Inputs of users' tests are short: I/O must not take longer than reading all of it, and several
// checkpoints are to fit in before the first crash.
function quickened(plan: FaultPlan): FaultPlan {
  const lives = plan.lives.map((life) => ({
    ...life,
    checkpoints: {
      ...life.checkpoints,
      intervalMs: Math.min(life.checkpoints.intervalMs ?? INTERVAL_MAX_MS, INTERVAL_MAX_MS),
      minPauseMs: 0,
    },
    tuning: { ...life.tuning, batchSize: 1 },
    maxDelayMs: life.maxDelayMs / 10,
  }));
  return { ...plan, lives };
}

const INTERVAL_MAX_MS = 8;

// The last life only finds that everything is done.
function restoresOf({ story }: SeedOutcome): number {
  const lastLife = story.at(-1)?.life ?? 0;
  return story.filter(({ life, text }) => life < lastLife && / restores /.test(text)).length;
}

/** Adds outcomes up. */
export function summaryOf(outcomes: readonly SeedOutcome[]): SimulationSummary {
  const faults: Record<string, number> = {};
  for (const outcome of outcomes) {
    for (const [kind, times] of outcome.faults) faults[kind] = (faults[kind] ?? 0) + times;
  }
  const sum = (of: (outcome: SeedOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    seeds: outcomes.length,
    turns: sum(({ turns }) => turns),
    crashes: sum(({ crashes }) => crashes),
    checkpoints: sum(({ checkpoints }) => checkpoints),
    restores: sum(restoresOf),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    faults,
  };
}
