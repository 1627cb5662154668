import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { datagen, memorySink } from '@millrace/connectors';
import { job, run } from '@millrace/core';
import { restoreAdvice } from './restore-advice.ts';

function damage(code: string, details: object): Error {
  return Object.assign(new Error('damaged'), { code, details });
}

/** Checkpoints of job `numbers`; the ids of those that are kept, oldest first. */
async function checkpointsOf(test: TestContext, numRetained: number) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  const numbers = job('numbers', (flow) => {
    flow
      .from('numbers', datagen({ make: (number) => number, ratePerSecond: 1_000 }))
      .to('out', memorySink<number>());
  });
  const checkpoints = { directory, intervalMs: 3_600_000, numRetained };
  const execution = await run(numbers, { checkpoints });
  await execution.triggerCheckpoint();
  await execution.stop();
  return { directory, newest: execution.lastCheckpoint()!.checkpointId };
}

const args = ['job.ts', '--from', 'latest', '--interval', '1s'];

test('restoreAdvice names the file, and commands with the checkpoints there are', async (t) => {
  const { directory, newest } = await checkpointsOf(t, 2);
  const error = damage('CORRUPT_RUN', { file: 'shared/1-1-1.run', offset: 3, reason: 'x' });
  const given = { error, jobName: 'numbers', checkpointDirectory: directory, args };
  const begin = 'npx millrace run job.ts --interval 1s';
  assert.deepEqual(await restoreAdvice(given), [
    `file: ${directory}/numbers/shared/1-1-1.run`,
    `next: npx millrace checkpoints verify ${directory} numbers`,
    `then: ${begin} --from ${directory}/numbers/chk-${newest - 1} --allow-duplicates`,
  ]);
});

test('restoreAdvice says what is left when no other checkpoint is kept', async (t) => {
  const { directory, newest } = await checkpointsOf(t, 1);
  const object = `chk-${newest}/manifest.json`;
  const error = damage('CORRUPT_MANIFEST', { object, problem: 'x' });
  const given = { error, jobName: 'numbers', checkpointDirectory: directory, args };
  const advice = await restoreAdvice(given);
  assert.equal(advice[0], `file: ${directory}/numbers/${object}`);
  assert.match(advice.slice(2).join('\n'), /--from SAVEPOINT[\s\S]*--from none.*--retain 3/);
});

test('restoreAdvice says what is in the place of a missing snapshot', async (t) => {
  const { directory, newest } = await checkpointsOf(t, 1);
  const facts = { jobName: 'numbers', checkpointDirectory: directory, args };
  const adviceFor = (path: string) =>
    restoreAdvice({ ...facts, error: damage('SNAPSHOT_NOT_FOUND', { path }) });
  assert.deepEqual(await adviceFor(directory), ['it holds: numbers']);
  const place = join(directory, 'numbers');
  assert.deepEqual(await adviceFor(place), [
    `it holds: chk-${newest}, log`,
    `can be named: ${place}/chk-${newest}`,
  ]);
  const gone = join(directory, 'gone');
  assert.deepEqual(await adviceFor(gone), [`${gone} is not a directory that can be read`]);
});

test('restoreAdvice is silent about other errors', async () => {
  const facts = { jobName: 'numbers', checkpointDirectory: '/nowhere', args };
  assert.deepEqual(await restoreAdvice({ ...facts, error: new Error('full') }), []);
  assert.deepEqual(await restoreAdvice({ ...facts, error: damage('USAGE', { file: 'a' }) }), []);
});
