// Goal: nothing is lost and nothing doubled, wherever the power goes. Method: run a job once in the
// simulator, then once per step with a crash at that step; what is committed must be the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashProgramEverywhere, runSimulation, type VirtualEnvironment } from '@millrace/testing';
import type { SimulatedJob } from './simulated-jobs.ts';
import { committedLines, runSimulated } from './simulated-run.ts';

// Every step of every job takes minutes; `npm test` takes a sample, `.ci/run` all of them.
const POINTS = process.env.CRASH_POINTS === 'all' ? undefined : 12;

/** Declares a test for a job: a crash at every step (or a sample of them) changes nothing. */
export function testCrashes(simulated: SimulatedJob): void {
  test(`job "${simulated.name}" commits the same lines whatever step it crashes at`, async () => {
    const start = (environment: VirtualEnvironment, life: number) =>
      runSimulated(simulated, environment, life);
    const plain = await runSimulation({ seed: 1, start });
    const expected = committedLines(plain.disk);
    assert.ok(expected.length > 0, 'the job writes something');
    assert.ok(plain.value >= 3, 'crashes come between the checkpoints of a running job');
    await crashProgramEverywhere({
      seed: 1,
      start,
      maxSteps: 50_000,
      ...(POINTS === undefined ? {} : { points: POINTS }),
      check: (result) => assert.deepEqual(committedLines(result.disk), expected),
    });
  });
}
