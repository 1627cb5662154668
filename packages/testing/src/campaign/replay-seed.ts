import type { CampaignJob } from './campaign-job.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { SeedRunner } from './run-seed.ts';
import { shrinkPlan } from './shrink-plan.ts';
import { storyText } from './story-text.ts';

/** What a replay found. */
export interface Replay {
  readonly isGood: boolean;
  /** What happened, for people. */
  readonly text: string;
  /** The smallest plan found that shows the same problem; null: nothing is wrong, or not asked. */
  readonly shrunk: FaultPlan | null;
}

/**
 * Runs one seed again and tells what happened; if something is wrong, looks for a small case.
 *
 * @param plan null: the one of the seed
 */
export async function replaySeed(
  runner: SeedRunner,
  job: CampaignJob,
  seed: number,
  plan: FaultPlan | null,
  isShrunk: boolean,
): Promise<Replay> {
  const drawn = plan ?? (await runner.planOf(job, seed));
  const outcome = await runner.run(job, drawn.seed, { plan: drawn });
  const text = storyText(outcome);
  const oracle = outcome.problems[0]?.oracle;
  const isGood = oracle === undefined;
  if (isGood || !isShrunk) return { isGood, text, shrunk: null };
  const { plan: shrunk, tried } = await shrinkPlan(drawn, async (candidate) => {
    const { problems } = await runner.run(job, drawn.seed, { plan: candidate });
    return problems.some((problem) => problem.oracle === oracle);
  });
  const smaller = storyText(await runner.run(job, drawn.seed, { plan: shrunk }));
  return {
    isGood: false,
    text: `${text}\n\n--- smaller, after ${tried} tries ---\n\n${smaller}`,
    shrunk,
  };
}

/** A plan as one line of JSON, which has no Infinity: turns without end are left out. */
export function planText(plan: FaultPlan): string {
  return JSON.stringify(plan, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? undefined : value,
  );
}

/** The inverse of `planText`. @throws SyntaxError */
export function planOfText(text: string): FaultPlan {
  const plan = JSON.parse(text) as FaultPlan;
  const turns = Number.POSITIVE_INFINITY;
  return { ...plan, lives: plan.lives.map((life) => ({ ...{ turns }, ...life })) };
}
