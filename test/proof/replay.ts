// One seed again: what happened, and the smallest case with the same problem.
import { planOfText, planText, replaySeed, SeedRunner } from '@millrace/testing/campaign';
import { PROOF_JOBS } from './proof-jobs.ts';

/** @returns whether nothing was wrong */
export async function replay(
  jobName: string | null,
  seed: number,
  givenPlan: string | undefined,
  isTraced: boolean,
): Promise<boolean> {
  const job =
    jobName === null
      ? PROOF_JOBS[seed % PROOF_JOBS.length]!
      : PROOF_JOBS.find(({ name }) => name === jobName);
  if (job === undefined) throw new Error(`there is no job ${jobName}`);
  const plan = givenPlan === undefined ? null : planOfText(givenPlan);
  const { isGood, text, shrunk } = await replaySeed(new SeedRunner(), job, seed, plan, isTraced);
  console.log(text);
  if (shrunk !== null)
    console.log(`\nnpm run proof -- --job ${job.name} --plan '${planText(shrunk)}'`);
  return isGood;
}
