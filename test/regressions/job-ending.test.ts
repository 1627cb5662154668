// Ways of a job to end, or not to, that were wrong once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JobEvent, type JobExecution, run, type RunOptions } from '@millrace/core';
import { VirtualEnvironment } from '@millrace/testing';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';
import { conditions, SIMULATED_JOBS } from '../recovery/simulated-jobs.ts';
import { committedLines } from '../recovery/simulated-run.ts';

const { job } = SIMULATED_JOBS.find(({ name }) => name === 'stateless')!;

function start(
  environment: VirtualEnvironment,
  more: Partial<RunOptions> = {},
): Promise<JobExecution> {
  const checkpoints = { directory: '/checkpoints', intervalMs: 20 };
  const restart = { kind: 'fixedDelay', attempts: 3, delayMs: 500 } as const;
  return run(job, { environment, checkpoints, restart, ...more });
}

async function linesOfAWholeRun(): Promise<string[]> {
  const environment = new VirtualEnvironment();
  const execution = await environment.runUntil(start(environment));
  await environment.runUntil(execution.done);
  return committedLines(environment.disk);
}

// The stop's checkpoint and the one at the end of the input were both asked for; the second was
// refused, and that failed the attempt.
test('a job that is asked to stop while it finishes by itself does not fail', async () => {
  const outcomes = new Set<string>();
  for (let steps = 0; ; steps += 3) {
    const environment = new VirtualEnvironment({ seed: 5 });
    const failures: JobEvent[] = [];
    const onEvent = (event: JobEvent): void => {
      if (event.kind === 'failure') failures.push(event);
    };
    const execution = await environment.runUntil(start(environment, { onEvent }));
    for (let step = 0; step < steps; step++) await environment.step();
    if (execution.status() === 'finished') break;
    const stopped = execution.status() === 'running' ? execution.stop() : execution.done;
    const { status, attempts } = await environment.runUntil(stopped);
    assert.deepEqual([attempts, failures], [1, []], `stopped after ${steps} steps`);
    outcomes.add(status);
  }
  assert.deepEqual([...outcomes].sort(), ['finished', 'stopped']);
});

test('a listener that throws changes nothing', async () => {
  const environment = new VirtualEnvironment();
  const onEvent = (): void => {
    throw new Error('thrown by a listener');
  };
  const execution = await environment.runUntil(start(environment, { onEvent }));
  assert.equal((await environment.runUntil(execution.done)).status, 'finished');
  assert.deepEqual(committedLines(environment.disk), await linesOfAWholeRun());
});

// It restored from files that its successor had deleted, failed, and tried again for ever.
test('a job that is taken over while it waits to restart is fenced', async () => {
  const environment = new VirtualEnvironment();
  let throwsLeft = 1;
  conditions.onUserCode = () => {
    if (throwsLeft-- > 0) throw new TypeError('planned');
  };
  try {
    const restart = { kind: 'fixedDelay', attempts: 3, delayMs: 100_000 } as const;
    const first = await environment.runUntil(start(environment, { restart }));
    const fenced = assert.rejects(first.done, { code: 'JOB_FENCED' });
    while (first.status() !== 'restarting') await environment.step();
    const second = await environment.runUntil(start(environment.startProcess()));
    await environment.runUntil(second.done);
    await environment.runUntil(fenced);
    assert.equal(first.status(), 'failed');
  } finally {
    conditions.onUserCode = () => {};
  }
  assert.deepEqual(committedLines(environment.disk), await linesOfAWholeRun());
});

// Whoever had asked waited until the job ended by itself.
test('a stop is refused when the attempt fails meanwhile, and the job goes on', async () => {
  const environment = new VirtualEnvironment();
  const execution = await environment.runUntil(start(environment));
  for (let step = 0; step < 60; step++) await environment.step();
  environment.fileSystem.fault = ({ path }) => (path.includes('/savepoints') ? 'full' : undefined);
  const stopped = execution.stop({ savepointDirectory: '/savepoints' });
  await assert.rejects(environment.runUntil(stopped), { code: 'CHECKPOINT_ABORTED' });
  assert.equal((await environment.runUntil(execution.done)).status, 'finished');
  assert.deepEqual(committedLines(environment.disk), await linesOfAWholeRun());
});

// A job that had finished restored, read nothing and said `finished`: new files went unnoticed.
test('a restored job says whether it had finished, and where its checkpoint is', async () => {
  const environment = new VirtualEnvironment({ seed: 5 });
  const restored: JobEvent[] = [];
  const onEvent = (event: JobEvent): void => {
    if (event.kind === 'restored') restored.push(event);
  };
  const first = await environment.runUntil(start(environment));
  await environment.runUntil(first.triggerCheckpoint());
  await environment.runUntil(first.stop());
  const second = await environment.runUntil(start(environment, { onEvent }));
  await environment.runUntil(second.done);
  const third = await environment.runUntil(start(environment, { onEvent }));
  await environment.runUntil(third.done);
  const facts = restored.flatMap((event) =>
    event.kind === 'restored' ? [[event.hadFinished, event.from]] : [],
  );
  const last = second.lastCheckpoint()!.checkpointId;
  assert.equal(facts.length, 2);
  assert.equal(facts[0]![0], false);
  assert.deepEqual(facts[1], [true, `chk-${last}/manifest.json`]);
});

// The cancellation waited for the checkpoint under way, whose storage never answered.
test('a job is cancelled although a call on its storage hangs', async () => {
  const environment = new VirtualEnvironment({ seed: 5 });
  const hanging = Promise.withResolvers<void>();
  const storage = new MemoryStorage();
  const { createIfAbsent } = storage;
  storage.createIfAbsent = async (name, data) => {
    if (name.startsWith('chk-')) await hanging.promise;
    return createIfAbsent.call(storage, name, data);
  };
  const events: JobEvent[] = [];
  const onEvent = (event: JobEvent): void => void events.push(event);
  const execution = await environment.runUntil(start(environment, { storage, onEvent }));
  execution.triggerCheckpoint().catch(() => {});
  await environment.runUntil(until(environment, 1_000));
  await environment.runUntil(execution.cancel());
  assert.equal((await execution.done).status, 'cancelled');
  const told = events.length;
  hanging.resolve(); // what comes back after all is not told
  await environment.runUntil(until(environment, 1_000));
  assert.equal(execution.status(), 'cancelled');
  assert.deepEqual(
    events.slice(told).filter(({ kind }) => kind === 'status' || kind === 'failure'),
    [],
  );
});

function until({ scheduler }: VirtualEnvironment, delayMs: number): Promise<void> {
  return new Promise((resolve) => void scheduler.after(delayMs, resolve));
}

test('the result of a job says whether it was drained', async () => {
  for (const drain of [true, false]) {
    const environment = new VirtualEnvironment({ seed: 5 });
    const execution = await environment.runUntil(start(environment));
    const result = await environment.runUntil(execution.stop({ drain }));
    assert.deepEqual([result.status, result.drained ?? false], ['stopped', drain]);
  }
});
