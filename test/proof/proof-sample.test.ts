// Goal: a sample of the proof in every test run: one seed for each job, and the same digest again
// for some. All of it: npm run proof.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeedRunner, storyText } from '@millrace/testing/campaign';
import { PROOF_JOBS } from './proof-jobs.ts';

/** Another one now and then, for other plans. */
const FIRST_SEED = 5_000;
const runner = new SeedRunner();

for (const [index, job] of PROOF_JOBS.entries()) {
  const seed = FIRST_SEED + index;
  test(`job "${job.name}" loses nothing and doubles nothing with seed ${seed}`, async () => {
    const outcome = await runner.run(job, seed);
    assert.deepEqual(outcome.problems, [], storyText(outcome));
    assert.ok(outcome.crashes > 0 || outcome.faults.size > 0, 'something happened');
    if (index % 6 !== 0) return;
    const again = await new SeedRunner().run(job, seed);
    assert.equal(again.digest, outcome.digest, 'a seed is one history');
  });
}
