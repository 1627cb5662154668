import { assert } from '@millrace/core/connector';
import type { CampaignJob } from './campaign-job.ts';
import { Campaign, type CampaignEnd } from './campaign.ts';
import { ALONE_INPUT_SIZE, drawPlan, type JobTraits } from './draw-plan.ts';
import { CLEAN_LIFE, type FaultPlan } from './fault-plan.ts';
import type { Problem, SeedOutcome } from './seed-outcome.ts';

/** What a job does when nothing goes wrong. */
export interface Baseline {
  readonly committed: readonly string[];
  readonly state: readonly string[];
  readonly turns: number;
  readonly virtualMs: number;
}

/** A seed that is to count has at least so much. */
const COUNTED = { turns: 2_000, crashes: 1, checkpoints: 3 };
const DEFAULT_PARALLELISMS = [1, 2, 3];

/** How to run one seed. */
export interface RunSeedOptions {
  /** Default: the one that the seed draws. */
  readonly plan?: FaultPlan;
}

/**
 * Runs jobs under faults drawn from seeds, and judges what came of it. Runs without faults, which
 * give the expected output, are made once per job and input size, and kept.
 *
 * Deterministic: equal seeds, jobs and plans give equal outcomes, digest included.
 */
export class SeedRunner {
  readonly #baselines = new Map<string, Promise<Baseline>>();

  /** What is expected of a job. @throws if even a run without faults breaks a rule */
  baselineOf(job: CampaignJob, inputSize = 1): Promise<Baseline> {
    const key = `${job.name} ${inputSize}`;
    const known = this.#baselines.get(key) ?? this.#runBaseline(job, inputSize);
    this.#baselines.set(key, known);
    return known;
  }

  /** The plan of a seed. */
  async planOf(job: CampaignJob, seed: number): Promise<FaultPlan> {
    const { turns } = await this.baselineOf(job);
    const alone = await this.baselineOf(job, ALONE_INPUT_SIZE);
    return drawPlan(seed, traitsOf(job, turns, alone.turns));
  }

  /** Never throws for what the job or the engine does: that is in `problems`. */
  async run(job: CampaignJob, seed: number, options: RunSeedOptions = {}): Promise<SeedOutcome> {
    const plan = options.plan ?? (await this.planOf(job, seed));
    const baseline = await this.baselineOf(job, plan.inputSize);
    const end = await new Campaign(job, plan).run();
    return {
      ...summaryOf(job, plan, end),
      problems: [...end.problems, ...compare(job, plan, baseline, end)],
    };
  }

  async #runBaseline(job: CampaignJob, inputSize: number): Promise<Baseline> {
    const parallelisms = job.parallelisms ?? DEFAULT_PARALLELISMS;
    const isAlone = inputSize === ALONE_INPUT_SIZE && parallelisms.includes(1);
    const parallelism = isAlone ? 1 : parallelisms[Math.min(1, parallelisms.length - 1)]!;
    const plan = { seed: 0, inputSize, lives: [{ ...CLEAN_LIFE, parallelism }] };
    const end = await new Campaign(job, plan).run();
    const problem = end.problems[0];
    if (problem !== undefined) {
      throw new Error(`job "${job.name}" without faults: ${problem.oracle}: ${problem.message}`);
    }
    assert(end.committed !== null && end.state !== null, 'a run without problems has an end');
    const { committed, state, turns, virtualMs } = end;
    return { committed, state, turns, virtualMs };
  }
}

function traitsOf(job: CampaignJob, turns: number, turnsAlone: number): JobTraits {
  return {
    turns,
    turnsAlone,
    parallelisms: job.parallelisms ?? DEFAULT_PARALLELISMS,
    usesProcessingTime: job.usesProcessingTime ?? false,
    isIdempotent: job.isIdempotent ?? false,
  };
}

function summaryOf(
  job: CampaignJob,
  plan: FaultPlan,
  end: CampaignEnd,
): Omit<SeedOutcome, 'problems'> {
  const { turns, crashes, checkpoints, virtualMs, faults, digest, story } = end;
  const lacks = Object.entries(COUNTED).find(([name, least]) => end[name as 'turns'] < least);
  return {
    job: job.name,
    plan,
    uncounted: lacks === undefined ? null : `fewer than ${lacks[1]} ${lacks[0]}`,
    turns,
    crashes,
    checkpoints,
    virtualMs,
    faults,
    digest,
    story,
  };
}

function compare(
  job: CampaignJob,
  plan: FaultPlan,
  baseline: Baseline,
  end: CampaignEnd,
): Problem[] {
  const { committed, state } = end;
  if (committed === null || state === null) return [];
  const isAtLeastOnce = plan.lives.some(({ checkpoints }) => checkpoints.mode === 'at-least-once');
  const problems: Problem[] = [];
  const wrong =
    job.judge?.(committed, baseline.committed, plan.inputSize) ??
    differences(baseline.committed, committed, isAtLeastOnce);
  for (const message of wrong) problems.push({ oracle: 'output', message });
  if (job.hasFreeState !== true && !isAtLeastOnce) {
    for (const message of differences(baseline.state, state, false)) {
      problems.push({ oracle: 'state', message });
    }
  }
  return problems;
}

/**
 * Compares lines as multisets.
 *
 * @param mayRepeat lines may be there more often than expected
 * @returns one sentence per line that differs
 */
export function differences(
  expected: readonly string[],
  found: readonly string[],
  mayRepeat: boolean,
): string[] {
  const counts = new Map<string, number>();
  for (const line of expected) counts.set(line, (counts.get(line) ?? 0) + 1);
  const wanted = new Map(counts);
  for (const line of found) counts.set(line, (counts.get(line) ?? 0) - 1);
  const sentences: string[] = [];
  for (const [line, left] of counts) {
    if (left === 0) continue;
    const there = (wanted.get(line) ?? 0) - left;
    if (left > 0) sentences.push(`lost ${left} times: ${line}`);
    else if (!wanted.has(line)) sentences.push(`not expected, ${there} times: ${line}`);
    else if (!mayRepeat) sentences.push(`${there} times instead of ${wanted.get(line)}: ${line}`);
  }
  return sentences;
}
