// A reader asked datagen for its next split only when one had ended. With more splits than readers,
// as after a restart with a lower parallelism, a source without end never read the others; one with
// an end read them after the first, and all their records were late.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { datagen, memorySink } from '@millrace/connectors';
import { job, run, seconds, tumbling } from 'millrace';

test('datagen without end reads all its splits with a single reader', async () => {
  const sink = memorySink<number>();
  const counting = job('counting', (flow) => {
    const numbers = datagen<number>({ make: (index) => index, ratePerSecond: 3_000, splits: 3 });
    flow.from('numbers', numbers).to('sink', sink);
  });
  const directory = mkdtempSync(join(tmpdir(), 'millrace-splits-'));
  const execution = await run(counting, { checkpoints: { directory, intervalMs: 20 } });
  const seen = () => new Set(sink.values().map((number) => number % 3)).size;
  for (let waitedMs = 0; seen() < 3 && waitedMs < 20_000; waitedMs += 20) await sleep(20);
  await execution.cancel();
  rmSync(directory, { recursive: true });
  assert.equal(seen(), 3);
});

test('datagen with several splits in one reader makes no record late', async () => {
  const sink = memorySink<number>();
  const windows = job('windows', (flow) => {
    const make = (index: number) => index;
    flow
      .from('numbers', datagen<number>({ make, timestamp: make, count: 30_000, splits: 3 }))
      .eventTime({ timestamp: make, maxOutOfOrdernessMs: 0 })
      .keyBy(() => 'all')
      .window(tumbling(seconds(1)))
      .aggregate('count', { create: () => 0, add: (sum) => sum + 1 })
      .map(({ value }) => value)
      .to('sink', sink);
  });
  const execution = await run(windows);
  await execution.done;
  assert.deepEqual(new Set(sink.values()), new Set([1_000]));
  assert.equal(sink.values().length, 30);
});
