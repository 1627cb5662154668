// Processes that were taken over, or took over, and ended with the wrong error. Found by processes
// that started at the same moment, and by one that was paused while another one ran.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JobExecution, run } from '@millrace/core';
import { VirtualEnvironment } from '@millrace/testing';
import {
  FakeProcess,
  FaultyStorage,
  settle,
} from '../../packages/core/src/coordinator/coordinator-test-bed.ts';
import { JobFencedError } from '../../packages/core/src/coordinator/coordinator-errors.ts';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';
import { SIMULATED_JOBS } from '../recovery/simulated-jobs.ts';

/** Triggers the next checkpoint of a process and acknowledges it. @returns its id */
async function attemptCheckpoint(process: FakeProcess): Promise<number> {
  process.driver.triggerCheckpoint().catch(() => {});
  const id = Number(
    process.job.calls.findLast((call) => call.startsWith('trigger '))!.split(' ')[1],
  );
  await process.acknowledge(id);
  await settle();
  return id;
}

// The owner failed, and the job with it, although nothing was wrong.
test('a manifest left by a replaced process is no failure of the owner', async () => {
  const storage = new MemoryStorage();
  const replaced = await FakeProcess.start(storage, { tolerableFailures: 0 });
  const owner = await FakeProcess.start(storage, { tolerableFailures: 0 });
  assert.equal(await attemptCheckpoint(replaced), 1);
  assert.ok(replaced.job.failures[0] instanceof JobFencedError);
  assert.equal(await attemptCheckpoint(owner), 1);
  assert.ok(owner.job.calls.includes('abort 1'), 'the replaced process has written its manifest');
  assert.deepEqual(owner.job.failures, []);
  await attemptCheckpoint(owner);
  assert.ok(owner.job.calls.includes('complete 2'));
});

// It came one id behind its successor again and again, and never tried for a slot.
test('a process whose manifests are written by its successor is fenced', async () => {
  const storage = new MemoryStorage();
  const replaced = await FakeProcess.start(storage, { tolerableFailures: 9 });
  const owner = await FakeProcess.start(storage);
  await attemptCheckpoint(owner);
  await attemptCheckpoint(replaced);
  assert.ok(replaced.job.failures[0] instanceof JobFencedError);
});

// Exit code 1 told its supervisor to start it again.
test('a process that fails for good because it was taken over says so', async () => {
  const { job } = SIMULATED_JOBS.find(({ name }) => name === 'stateless')!;
  const start = (environment: VirtualEnvironment): Promise<JobExecution> =>
    run(job, {
      environment,
      checkpoints: { directory: '/checkpoints', intervalMs: 20 },
      restart: { kind: 'none' },
    });
  const environment = new VirtualEnvironment();
  const first = await environment.runUntil(start(environment));
  const fenced = assert.rejects(first.done, { code: 'JOB_FENCED' });
  const second = await environment.runUntil(start(environment.startProcess()));
  environment.fileSystem.fault = ({ path }) => (path.includes('g1a1') ? 'full' : undefined);
  await environment.runUntil(fenced);
  environment.fileSystem.fault = () => undefined;
  assert.equal((await environment.runUntil(second.done)).status, 'finished');
});

// It took the deleted manifest for damage, and exit code 5 said not to start it again.
test('a process takes over while the owner replaces the checkpoint it looks at', async () => {
  const memory = new MemoryStorage();
  const owner = await FakeProcess.start(memory);
  await owner.checkpoint();
  const storage = new FaultyStorage(memory);
  let looks = 0;
  storage.fault = async (operation, name) => {
    if (operation === 'get' && name.startsWith('chk-') && looks++ < 3) await owner.checkpoint();
    return null;
  };
  const { recovery } = await FakeProcess.start(storage);
  assert.equal(recovery.manifest?.checkpointId, 4);
});
