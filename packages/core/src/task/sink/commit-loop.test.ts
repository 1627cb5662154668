// Goal: a loop that cannot go on fails its task, and nobody who waits for it holds up the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Environment } from '../../base/environment.ts';
import type { CommitOutcome } from '../../function/sink.ts';
import { MetricGroup } from '../../metrics/registry.ts';
import { CommitFailedError, CommitLoop } from './commit-loop.ts';

interface Watched {
  readonly loop: CommitLoop;
  readonly failures: unknown[];
  isSettled: boolean;
}

async function committing(
  commit: (committables: readonly unknown[]) => Promise<readonly CommitOutcome[]>,
): Promise<Watched> {
  const environment = {
    logger: { log: () => {} },
    scheduler: { after: () => () => {}, defer: () => {} },
  } as unknown as Environment;
  const failures: unknown[] = [];
  const context = { environment, metrics: new MetricGroup(), operatorUid: 'out' };
  const loop = new CommitLoop({ commit, close: async () => {} }, context, (error) =>
    failures.push(error),
  );
  loop.add(1, ['a', 'b']);
  loop.complete(1);
  const watched: Watched = { loop, failures, isSettled: false };
  void loop.settled().then(() => {
    watched.isSettled = true;
  });
  // Turns of the event loop: they never come if somebody waits in promises without end.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  return watched;
}

test('CommitLoop settles when everything that is due has been committed', async () => {
  const { loop, failures, isSettled } = await committing(async (committables) =>
    committables.map(() => ({ kind: 'committed' })),
  );
  assert.deepEqual([isSettled, failures, loop.unconfirmed()], [true, [], []]);
});

test('CommitLoop fails the task, and never settles, if a commit failed', async () => {
  const error = new Error('lost');
  const { loop, failures, isSettled } = await committing(async () => [
    { kind: 'committed' },
    { kind: 'failed', error },
  ]);
  assert.ok(failures[0] instanceof CommitFailedError);
  assert.equal(failures[0].cause, error);
  assert.deepEqual([isSettled, loop.unconfirmed()], [false, ['b']]);
});

test('CommitLoop fails the task if a committer answers with nonsense', async () => {
  const { loop, failures, isSettled } = await committing(
    async () => undefined as unknown as readonly CommitOutcome[],
  );
  assert.equal(failures.length, 1);
  assert.deepEqual([isSettled, loop.unconfirmed()], [false, ['a', 'b']]);
});

test('CommitLoop that is closed during a commit never settles', async () => {
  let finish: () => void = () => {};
  const committing1 = committing(async (committables) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return committables.map(() => ({ kind: 'committed' }));
  });
  const { loop } = await committing1;
  let isSettled = false;
  void loop.settled().then(() => {
    isSettled = true;
  });
  loop.close();
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSettled, false);
});
