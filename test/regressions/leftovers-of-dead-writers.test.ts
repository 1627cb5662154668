// A process that died while it wrote an object left its temporary file in the checkpoint directory,
// and nobody ever removed it: each crash cost space for good. Found by the proof's campaign (seed
// 72, job "late-records": "nothing needs alive/~99619ad28cfca474038a73d6").
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromArray, memorySink } from '@millrace/connectors';
import { job, run } from '@millrace/core';
import { runSimulation } from '@millrace/testing';

test('a claim removes what writers that died were writing', async () => {
  const copy = job('copy', (flow) =>
    flow.from('in', fromArray([1, 2, 3, 4, 5, 6])).to('out', memorySink<number>()),
  );
  let leftBehind = 0;
  for (let step = 5; step < 120; step += 3) {
    const { value } = await runSimulation({
      seed: step,
      crash: 'process',
      crashAtSteps: [step],
      async start(environment, life) {
        const files = environment.fileSystem;
        const leftovers = async (directory: string): Promise<string[]> =>
          (await files.list(`/checkpoints/copy/${directory}`))
            .map(({ name }) => name)
            .filter((name) => name.startsWith('~'));
        if (life > 0) leftBehind += (await leftovers('log')).length;
        const execution = await run(copy, {
          environment,
          checkpoints: { directory: '/checkpoints', intervalMs: 2 },
          tuning: { batchSize: 1, elementsPerTurn: 1 },
        });
        await execution.done;
        return leftovers('log');
      },
    });
    assert.deepEqual(value, [], `crash at step ${step}`);
  }
  assert.ok(leftBehind > 0, 'some of the crashes leave a temporary file');
});
