// One seed again: what happened, and the smallest case with the same problem.
import { type FaultPlan, SeedRunner, shrinkPlan, storyText } from '@millrace/testing/campaign';
import { PROOF_JOBS } from './proof-jobs.ts';

/** @returns whether nothing was wrong */
export async function replay(
  jobName: string | null,
  seed: number,
  planText: string | undefined,
  isTraced: boolean,
): Promise<boolean> {
  const job =
    jobName === null
      ? PROOF_JOBS[seed % PROOF_JOBS.length]!
      : PROOF_JOBS.find(({ name }) => name === jobName);
  if (job === undefined) throw new Error(`there is no job ${jobName}`);
  const runner = new SeedRunner();
  const given = planText === undefined ? null : planOfText(planText);
  const plan = given ?? (await runner.planOf(job, seed));
  const outcome = await runner.run(job, plan.seed, { plan });
  console.log(storyText(outcome));
  const oracle = outcome.problems[0]?.oracle;
  if (oracle === undefined) return true;
  if (!isTraced) return false;
  const shrunk = await shrinkPlan(plan, async (candidate) => {
    const { problems } = await runner.run(job, plan.seed, { plan: candidate });
    return problems.some((problem) => problem.oracle === oracle);
  });
  console.log(`\n--- smaller (${shrunk.tried} plans tried) ---\n`);
  console.log(storyText(await runner.run(job, plan.seed, { plan: shrunk.plan })));
  console.log(`\nnpm run proof -- --job ${job.name} --plan '${textOfPlan(shrunk.plan)}'`);
  return false;
}

// JSON has no Infinity: the turns of the last life are left out.
function textOfPlan(plan: FaultPlan): string {
  return JSON.stringify(plan, (_, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? undefined : value,
  );
}

function planOfText(text: string): FaultPlan {
  const plan = JSON.parse(text) as FaultPlan;
  const turns = Number.POSITIVE_INFINITY;
  return { ...plan, lives: plan.lives.map((life) => ({ ...{ turns }, ...life })) };
}
