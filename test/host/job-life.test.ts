// Goal: a job starts, fails, restarts, stops, is cancelled and goes on as its options say. Method:
// whole jobs through `run` in the virtual environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSink, fromArray, linesOut } from '@millrace/connectors';
import {
  type JobEvent,
  type JobExecution,
  job,
  type RunOptions,
  run,
  tumbling,
  type UserFunctionError,
} from '@millrace/core';
import { VirtualEnvironment } from '@millrace/testing';
import { committedLines } from '../recovery/simulated-run.ts';

const CHECKPOINTS = { directory: '/checkpoints', intervalMs: 10, tolerableFailures: 10 };
const TUNING = { batchSize: 5, elementsPerTurn: 1, channelCapacity: 2 };

interface World {
  readonly environment: VirtualEnvironment;
  readonly events: JobEvent[];
  start(definition: Parameters<typeof run>[0], options?: RunOptions): Promise<JobExecution>;
  end<T>(promise: Promise<T>): Promise<T>;
}

function world(disk?: VirtualEnvironment['disk']): World {
  const environment = new VirtualEnvironment({
    seed: 7,
    msPerStep: 0.5,
    ...(disk === undefined ? {} : { disk }),
  });
  const events: JobEvent[] = [];
  const end = <T>(promise: Promise<T>): Promise<T> => environment.runUntil(promise, 50_000);
  return {
    environment,
    events,
    end,
    start: (definition, options = {}) =>
      end(
        run(definition, {
          environment,
          checkpoints: CHECKPOINTS,
          tuning: TUNING,
          onEvent: (event) => events.push(event),
          ...options,
        }),
      ),
  };
}

const NUMBERS = Array.from({ length: 60 }, (_, i) => i);

function copyJob(onNumber: (value: number) => void = () => {}) {
  return job('copy', (flow) => {
    flow
      .from('numbers', fromArray(NUMBERS))
      .map((value) => {
        onNumber(value);
        return String(value);
      })
      .to('out', fileSink({ directory: '/out/copy', format: linesOut() }));
  });
}

const ALL = NUMBERS.map(String).sort();

test('a job whose function throws restarts and says where it threw', async () => {
  let throws = 2;
  const { start, end, events, environment } = world();
  const execution = await start(
    copyJob((value) => {
      if (value === 41 && throws-- > 0) throw new RangeError('forty-one');
    }),
  );
  const result = await end(execution.done);
  assert.equal(result.attempts, 3);
  assert.deepEqual(committedLines(environment.disk), ALL);
  const failure = events.find((event) => event.kind === 'failure');
  assert.ok(failure?.kind === 'failure');
  const error = failure.error as UserFunctionError;
  assert.equal(error.code, 'USER_FUNCTION_FAILED');
  assert.match(error.message, /operator "map#1" .*forty-one/);
  assert.ok(error.cause instanceof RangeError);
});

test('a job fails for good when its restart strategy gives up', async () => {
  const { start, end } = world();
  const execution = await start(
    copyJob((value) => {
      if (value === 41) throw new Error('always');
    }),
    { restart: { kind: 'fixedDelay', attempts: 2, delayMs: 5 } },
  );
  await assert.rejects(end(execution.done), { code: 'USER_FUNCTION_FAILED' });
  assert.equal(execution.status(), 'failed');
});

test('a stopped job goes on where it stopped', async () => {
  const first = world();
  const execution = await first.start(copyJob());
  const result = await first.end(execution.stop());
  assert.equal(result.status, 'stopped');
  const before = committedLines(first.environment.disk).length;
  assert.ok(before < ALL.length, 'it stopped on the way');
  const second = world(first.environment.disk);
  await second.end((await second.start(copyJob())).done);
  assert.deepEqual(committedLines(second.environment.disk), ALL);
});

const windows = job('windows', (flow) => {
  flow
    .from('numbers', fromArray(NUMBERS, { timestamp: (value) => value }))
    .eventTime({})
    .keyBy((value) => value % 2)
    .window(tumbling(1_000))
    .aggregate('sums', { create: () => 0, add: (sum, value) => sum + value })
    .map((window) => `${window.key} ${window.value}`)
    .to('out', fileSink({ directory: '/out/windows', format: linesOut() }));
});

test('stop with drain fires windows; stop without leaves them in state', async () => {
  const drained = world();
  const draining = await drained.start(windows);
  await drained.end(draining.triggerCheckpoint()); // some records have been read by then
  await drained.end(draining.stop({ drain: true }));
  assert.ok(committedLines(drained.environment.disk).length > 0);
  const stopped = world();
  await stopped.end((await stopped.start(windows)).stop());
  assert.deepEqual(committedLines(stopped.environment.disk), []);
  const again = world(stopped.environment.disk);
  await again.end((await again.start(windows)).done);
  assert.deepEqual(committedLines(again.environment.disk), ['0 870', '1 900']);
});

test('a savepoint restores a fork with another parallelism; the original goes on', async () => {
  const first = world();
  const execution = await first.start(windows);
  const savepoint = await first.end(execution.triggerSavepoint('/savepoints'));
  assert.equal(savepoint.kind, 'savepoint');
  await first.end(execution.done);
  assert.deepEqual(committedLines(first.environment.disk), ['0 870', '1 900']);
  const fork = world(first.environment.disk);
  const forked = await fork.start(windows, {
    from: savepoint.path,
    parallelism: 3,
    checkpoints: { ...CHECKPOINTS, directory: '/elsewhere' },
  });
  await fork.end(forked.done);
  assert.deepEqual(committedLines(fork.environment.disk), ['0 870', '0 870', '1 900', '1 900']);
});

test('going back behind the newest checkpoint needs a word from the user', async () => {
  const first = world();
  const execution = await first.start(copyJob());
  const savepoint = await first.end(execution.triggerSavepoint('/savepoints'));
  await first.end(execution.done);
  const second = world(first.environment.disk);
  const { path: from } = savepoint;
  await assert.rejects(second.start(copyJob(), { from }), { code: 'RESTORE_BEHIND_NEWEST' });
  const allowed = await second.start(copyJob(), { from, allowDuplicates: true });
  await second.end(allowed.done);
  assert.ok(committedLines(second.environment.disk).length > ALL.length);
});

test('state of an operator that is gone is an error before the job starts', async () => {
  const first = world();
  await first.end((await first.start(windows)).stop());
  const renamed = job('windows', (flow) => {
    flow
      .from('numbers', fromArray(NUMBERS, { timestamp: (value) => value }))
      .map(String)
      .to('out', fileSink({ directory: '/out/windows', format: linesOut() }));
  });
  const second = world(first.environment.disk);
  await assert.rejects(second.start(renamed), { code: 'STATE_OPERATOR_MISSING' });
  await second.end((await second.start(renamed, { allowDroppedState: true })).done);
});

test('a cancelled job commits nothing more, and goes on from its checkpoint', async () => {
  const first = world();
  const execution = await first.start(copyJob());
  await first.end(execution.triggerCheckpoint());
  await first.end(execution.cancel());
  assert.equal(execution.status(), 'cancelled');
  const second = world(first.environment.disk);
  await second.end((await second.start(copyJob())).done);
  assert.deepEqual(committedLines(second.environment.disk), ALL);
});

test('wrong options are refused before anything is touched', async () => {
  const { start, environment } = world();
  for (const options of [
    { checkpoints: { directory: '/checkpoints', intervalMs: -1 } },
    { restart: { kind: 'fixedDelay', attempts: -1, delayMs: 0 } },
    { parallelism: 0 },
    { parallelism: 300, maxParallelism: 200 },
    { checkpoints: { directory: 'ftp://host/path' } },
  ] as const) {
    await assert.rejects(start(copyJob(), options), { domain: 'user' });
  }
  assert.equal(environment.disk.find('/checkpoints'), undefined);
});

test('from none starts afresh although there is a checkpoint', async () => {
  const first = world();
  await first.end((await first.start(copyJob())).done);
  const again = world(first.environment.disk);
  await again.end((await again.start(copyJob())).done);
  assert.deepEqual(committedLines(again.environment.disk), ALL, 'a finished job writes nothing');
  const fresh = world(again.environment.disk);
  await fresh.end((await fresh.start(copyJob(), { from: 'none' })).done);
  assert.equal(committedLines(fresh.environment.disk).length, 2 * ALL.length);
});
