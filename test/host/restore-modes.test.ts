// Goal: a job that begins from a savepoint in another directory gives the right results, and does
// not need the savepoint when it says so; or owns it. Method: whole jobs through `run`, in the
// virtual environment; state in files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromArray, memorySink } from '@millrace/connectors';
import { type JobEvent, type JobExecution, job, type RestoreMode, run } from '@millrace/core';
import { storageOf } from '@millrace/core/checkpoint';
import { VirtualEnvironment } from '@millrace/testing';

const NUMBERS = Array.from({ length: 20_000 }, (_, number) => number);
const SUM = NUMBERS.reduce((a, b) => a + b);

function sums(sink: ReturnType<typeof memorySink<number>>) {
  return job('sums', (flow) => {
    flow
      .from('numbers', fromArray(NUMBERS))
      .keyBy(() => 'all')
      .reduce('sum', (a, b) => a + b)
      .to('out', sink);
  });
}

class World {
  readonly environment = new VirtualEnvironment({ seed: 3, msPerStep: 0.5 });
  readonly sink = memorySink<number>();
  readonly events: JobEvent[] = [];

  until<T>(promise: Promise<T>): Promise<T> {
    return this.environment.runUntil(promise, 50_000);
  }

  start(directory: string, more: { from?: string; restoreMode?: RestoreMode } = {}) {
    return this.until(
      run(sums(this.sink), {
        environment: this.environment,
        checkpoints: { directory, intervalMs: 1e6, inlineBytesMax: 0 },
        tuning: { batchSize: 5, elementsPerTurn: 1, channelCapacity: 2 },
        onEvent: (event) => this.events.push(event),
        ...more,
      }),
    );
  }

  /** So many records have come out of the source in this process. */
  async read(execution: JobExecution, count: number): Promise<void> {
    const { scheduler } = this.environment;
    while ((execution.metrics()[0]?.recordsOut ?? 0) < count) {
      await this.until(new Promise<void>((resolve) => void scheduler.after(1, resolve)));
    }
  }

  async savepoint(): Promise<string> {
    const execution = await this.start('/first');
    await this.read(execution, 50);
    const { lastCheckpoint } = await this.until(execution.stop({ savepointDirectory: '/saved' }));
    return lastCheckpoint!.path;
  }

  async files(directory: string): Promise<string[]> {
    const storage = await storageOf(directory, this.environment);
    return (await this.until(storage.list(''))).map(({ name }) => name);
  }
}

test('no-claim: the savepoint may go when the job says so', async () => {
  const world = new World();
  const from = await world.savepoint();
  const second = await world.start('/second', { from });
  await world.read(second, 30);
  await world.until(second.triggerCheckpoint());
  assert.deepEqual(
    world.events.filter(({ kind }) => kind === 'snapshotReleased'),
    [{ kind: 'snapshotReleased', directory: from }],
  );
  const storage = await storageOf(from, world.environment);
  await world.until(storage.deleteAll(await world.files(from)));
  await world.read(second, 60);
  await world.until(second.stop());
  const third = await world.start('/second');
  await world.until(third.done);
  assert.equal(world.sink.values().at(-1), SUM);
});

test('no-claim: a job that ended before its first checkpoint begins from there again', async () => {
  const world = new World();
  const from = await world.savepoint();
  const second = await world.start('/second', { from });
  await world.until(second.cancel());
  const third = await world.start('/second');
  await world.until(third.done);
  assert.equal(world.sink.values().at(-1), SUM);
  assert.equal(world.events.filter(({ kind }) => kind === 'snapshotReleased').length, 1);
});

test('claim: the savepoint is the job’s, used in place and deleted in the end', async () => {
  const world = new World();
  const from = await world.savepoint();
  const second = await world.start('/second', { from, restoreMode: 'claim' });
  assert.deepEqual(
    (await world.files(from)).map((name) => name.split('/')[0]),
    ['shared'],
  );
  await world.read(second, 30);
  await world.until(second.stop());
  await assert.rejects(world.start('/third', { from }), { code: 'SNAPSHOT_NOT_FOUND' });
  const third = await world.start('/second');
  // Each stop writes a run; four are merged, and then nothing is left of the savepoint.
  for (let times = 0; times < 6; times++) {
    await world.read(third, 10 * (times + 1));
    await world.until(third.triggerCheckpoint());
  }
  await world.until(third.done);
  assert.equal(world.sink.values().at(-1), SUM);
  assert.deepEqual(await world.files(from), []);
});
