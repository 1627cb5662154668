// Goal: jobs as a whole keep the semantics of their operators, whatever happens to them. Method:
// every case that a source can tell, as a job in the simulator; then again with crashes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { SemanticsCase } from './case.ts';
import { parseCases } from './run-cases.ts';
import { expectedOutputs, type Outputs, runWholeJob, scriptOf } from './whole-job.ts';

const text = readFileSync(`${import.meta.dirname}/cases.jsonl`, 'utf8');
const cases = parseCases(text).filter((testCase) => scriptOf(testCase) !== null);
const plain = { seed: 1, parallelism: 1, generateCode: true, crashAtSteps: [] };

test('most cases of windows and timers are told as whole jobs', () => {
  assert.ok(cases.length >= 50, `${cases.length}`);
});

// Whatever differs reached for something outside its environment, or for what an earlier run left.
test('a job with two crashes has one history per seed, bit for bit', async () => {
  const [testCase] = cases;
  const script = scriptOf(testCase!)!;
  const digestOf = async (seed: number): Promise<string> => {
    const options = { ...plain, seed, parallelism: 2, crashAtSteps: [90, 40] };
    return (await runWholeJob(testCase!, script, options)).digest;
  };
  assert.equal(await digestOf(11), await digestOf(11));
  assert.notEqual(await digestOf(11), await digestOf(12));
});

/** A crash may show in the order: a timer that waited for the next watermark is due at once. */
function sorted(outputs: Outputs): Outputs {
  return new Map([...outputs].map(([key, list]) => [key, [...list].sort()]));
}

async function crashing(testCase: SemanticsCase): Promise<void> {
  const script = scriptOf(testCase)!;
  const { steps } = await runWholeJob(testCase, script, plain);
  for (let crash = 1; crash <= 2; crash++) {
    const first = Math.floor((crash * steps) / 3);
    const options = { ...plain, seed: crash, crashAtSteps: [first, 25 * crash] };
    const { outputs } = await runWholeJob(testCase, script, options);
    const message = `seed ${crash}, crashes at steps ${options.crashAtSteps}`;
    assert.deepEqual(sorted(outputs), sorted(expectedOutputs(testCase)), message);
  }
}

describe('as a whole job', () => {
  for (const testCase of cases) {
    test(`${testCase.id} ${testCase.title}`, async () => {
      const script = scriptOf(testCase)!;
      const expected = expectedOutputs(testCase);
      for (const change of [{}, { generateCode: false }, { parallelism: 3, seed: 2 }]) {
        const { outputs } = await runWholeJob(testCase, script, { ...plain, ...change });
        assert.deepEqual(outputs, expected, JSON.stringify(change));
      }
      await crashing(testCase);
    });
  }
});
