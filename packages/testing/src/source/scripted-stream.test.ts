import assert from 'node:assert/strict';
import { test } from 'node:test';
import { job, run, tumbling, type WindowResult } from '@millrace/core';
import { memorySink } from '@millrace/connectors';
import { runSimulation } from '../environment/run-simulation.ts';
import { record, watermark } from '../operator/harness-elements.ts';
import { pause, type Script, scriptedStream } from './scripted-stream.ts';

interface Sale {
  readonly key: string;
  readonly amount: number;
}

const sale = (key: string, amount: number, timestampMs: number) =>
  record({ key, amount }, timestampMs);

/** Sums per key and second; what comes late is dropped. */
async function sums(
  script: Script,
  seed: number,
  crashAtSteps: readonly number[] = [],
): Promise<string[]> {
  const sink = memorySink<WindowResult<string, number>>();
  await runSimulation({
    seed,
    crashAtSteps,
    msPerStep: 0.5,
    maxSteps: 5_000,
    start: async (environment) => {
      let stop = (): void => {};
      const exhausted = new Promise<void>((resolve) => {
        stop = resolve;
      });
      const definition = job('sums', (flow) => {
        scriptedStream<Sale>(flow, 'sales', { ...script, onExhausted: stop })
          .keyBy(({ key }) => key)
          .window(tumbling(1_000))
          .aggregate('sum', { create: () => 0, add: (sum, { amount }) => sum + amount })
          .to('sums', sink);
      });
      const execution = await run(definition, {
        environment,
        checkpoints: { directory: '/checkpoints', intervalMs: 10 },
        tuning: { batchSize: 1, elementsPerTurn: 1, channelCapacity: 1 },
      });
      if (script.end === 'stay') {
        await exhausted;
        await execution.stop();
      }
      await execution.done;
    },
  });
  const text = (one: WindowResult<string, number>) =>
    `${one.key}@${one.windowStartMs}=${one.value}`;
  return sink.values().map(text).sort();
}

const elements = [
  sale('a', 1, 100),
  sale('b', 2, 200),
  pause(30),
  sale('a', 4, 900),
  watermark(999),
  sale('a', 100, 500), // late
  sale('a', 8, 1_500),
];

test('scriptedStream keeps records, timestamps and watermarks in order', async () => {
  const script: Script = { splits: [elements], end: 'stay' };
  assert.deepEqual(await sums(script, 1), ['a@0=5', 'b@0=2']);
});

test('scriptedStream ends with the end of event time', async () => {
  assert.deepEqual(await sums({ splits: [elements] }, 1), ['a@0=5', 'a@1000=8', 'b@0=2']);
});

test('scriptedStream merges the watermarks of its splits', async () => {
  const other = [sale('c', 3, 10), pause(1_000), sale('c', 3, 20), watermark(999)];
  const script: Script = { splits: [elements.slice(0, 5), other], end: 'stay' };
  assert.deepEqual(await sums(script, 1), ['a@0=5', 'b@0=2', 'c@0=6']);
});

test('scriptedStream does not show in event time that the job crashed', async () => {
  const script: Script = { splits: [elements], end: 'stay' };
  for (let step = 20; step < 400; step += 20) {
    assert.deepEqual(await sums(script, step, [step, 60]), ['a@0=5', 'b@0=2'], `step ${step}`);
  }
});
