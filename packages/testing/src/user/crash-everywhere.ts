import { AssertionError } from 'node:assert';
import type { JobDefinition } from '@millrace/core';
import { CLEAN_LIFE, type LifePlan } from '../campaign/fault-plan.ts';
import { SeedRunner } from '../campaign/run-seed.ts';
import type { SeedOutcome } from '../campaign/seed-outcome.ts';
import type { JobInput } from './job-input.ts';
import { type SimulationSummary, summaryOf } from './simulate.ts';
import { campaignJobOf, rehearse, type SimulatedJobOptions } from './simulated-job.ts';
import { assertProvesSomething, DIFFERS_ANYWAY, tellOutcome } from './simulation-story.ts';

/** Where and how the job is crashed. */
export interface CrashEverywhereOptions extends Omit<SimulatedJobOptions, 'input'> {
  /** At most so many crash points, evenly apart. Default 100; Infinity: every turn. */
  readonly points?: number;
  /** `power` (default): loses what was not synced. `kill`: the disk keeps everything. */
  readonly crash?: 'power' | 'kill';
  /** Order of turns and what a loss of power leaves. Default 1. */
  readonly seed?: number;
  /** Crashes at this turn alone, to see a failure again. */
  readonly atTurn?: number;
}

/**
 * Runs a job unchanged in a virtual world, again and again, with a crash at another turn each time,
 * and compares what it has committed at the end with what it commits without a crash.
 *
 * @param input files that the job reads, by path
 * @throws AssertionError that names the first turn with a difference, tells what happened and how
 *   to see it again; what the job fails with by itself; SimulationStuckError if it waits for
 *   something real
 *
 * Cost: two runs of the job per point.
 */
export async function crashEverywhere(
  job: JobDefinition,
  input: JobInput = {},
  options: CrashEverywhereOptions = {},
): Promise<SimulationSummary> {
  const { points = 100, crash = 'power', seed = 1, atTurn } = options;
  const withInput = { ...options, input };
  const rehearsal = await rehearse(job, withInput);
  assertProvesSomething(job.name, rehearsal.recordsCommitted);
  const runner = new SeedRunner();
  const campaignJob = campaignJobOf(job, withInput, rehearsal);
  const life = lifeOf(options);
  const runWith = (lives: readonly LifePlan[]): Promise<SeedOutcome> =>
    runner.run(campaignJob, seed, { plan: { seed, inputSize: 1, lives } });
  const plain = await runWith([life]);
  if (plain.problems.length > 0) throw failure(plain, null);
  const outcomes: SeedOutcome[] = [];
  for (const turns of atTurn === undefined ? spread(turnsOf(plain), points) : [atTurn]) {
    const outcome = await runWith([{ ...life, turns, end: crash }, life]);
    if (outcome.problems.length > 0) throw failure(outcome, turns);
    outcomes.push(outcome);
  }
  return summaryOf(outcomes);
}

// One record a batch, short I/O and frequent checkpoints: most crashes come between two of them.
function lifeOf({ parallelisms }: CrashEverywhereOptions): LifePlan {
  return {
    ...CLEAN_LIFE,
    parallelism: parallelisms?.[0] ?? CLEAN_LIFE.parallelism,
    checkpoints: { ...CLEAN_LIFE.checkpoints, intervalMs: 5 },
    tuning: { ...CLEAN_LIFE.tuning, batchSize: 1 },
    maxDelayMs: 0.3,
  };
}

/** Of the life that did the work; another one follows that finds it done. */
function turnsOf({ story }: SeedOutcome): number {
  return story.findLast(({ life }) => life === 1)?.turn ?? 0;
}

function spread(total: number, points: number): number[] {
  const count = Math.min(total, points);
  return Array.from({ length: count }, (_, index) => Math.floor((index * total) / count));
}

function failure(outcome: SeedOutcome, atTurn: number | null): AssertionError {
  const where = atTurn === null ? 'without a crash' : `with a crash at turn ${atTurn}`;
  const hint = atTurn === null ? DIFFERS_ANYWAY : '';
  const again = `crashEverywhere(job, input, { ...options, atTurn: ${atTurn ?? 0} })`;
  return new AssertionError({
    message: `job "${outcome.job}" went wrong ${where}\n${tellOutcome(outcome, again, hint)}`,
    actual: outcome.problems.map(({ message }) => message),
    expected: [],
    operator: 'crashEverywhere',
  });
}
