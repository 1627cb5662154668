// Goal: what a released version has written can be restored for ever. The directory beside this
// file was written by manifest version 2 and run version 2: the job of totals-job.ts, stopped after
// 65 of 120 numbers; one run is in a file, the newer one stands in the manifest. It must never be
// changed or written anew.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { memorySink } from '@millrace/connectors';
import { run } from '@millrace/core';
import {
  filesOf,
  inlineBytesOf,
  latestOf,
  nodeEnvironment,
  readLogOf,
  readManifest,
  runsOf,
  verifyCheckpoint,
} from '@millrace/core/checkpoint';
import { VirtualEnvironment } from '@millrace/testing';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';
import { FINAL_SUMS, totalsJob } from './totals-job.ts';

const DIRECTORY = fileURLToPath(new URL('checkpoint-v2', import.meta.url));

function stored(): MemoryStorage {
  const objects = new Map<string, Uint8Array>();
  for (const entry of readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    objects.set(path.slice(DIRECTORY.length + 1), readFileSync(path));
  }
  return new MemoryStorage(objects);
}

test('a checkpoint directory of format version 2 is read as it was meant', async () => {
  const storage = stored();
  const environment = nodeEnvironment();
  const { log } = await readLogOf(storage, environment);
  const manifest = await readManifest(storage, environment, latestOf(log)!);
  assert.deepEqual(
    [manifest.formatVersion, manifest.jobName, manifest.checkpointId, manifest.figures],
    [
      2,
      'totals',
      2,
      {
        changedBytes: 87,
        writtenBytes: 799,
        mergedBytes: 0,
        inlineBytes: 799,
        files: 0,
        uploadMs: 0,
      },
    ],
  );
  assert.deepEqual(
    [...runsOf(manifest)].map(({ file }) => file),
    ['inline/3-1-1', 'shared/1-1-1.run'],
  );
  assert.deepEqual([...filesOf(manifest).keys()], ['shared/1-1-1.run']);
  assert.equal(inlineBytesOf(manifest), 799);
  const report = await verifyCheckpoint(manifest, storage, environment);
  assert.deepEqual([report.runs, report.problems], [2, []]);
});

for (const parallelism of [1, 3]) {
  test(`a job goes on from format version 2 with ${parallelism} subtasks`, async () => {
    const environment = new VirtualEnvironment({ seed: 1, msPerStep: 0.5 });
    const sink = memorySink<{ key: number; sum: number }>();
    const options = {
      environment,
      parallelism,
      storage: stored(),
      checkpoints: { directory: 'memory' },
    };
    const execution = await environment.runUntil(run(totalsJob(sink), options), 50_000);
    await environment.runUntil(execution.done, 50_000);
    // The last of each key: sums only grow.
    const sums = sink.values().toSorted((a, b) => a.sum - b.sum);
    assert.deepEqual(new Map(sums.map(({ key, sum }) => [key, sum])), FINAL_SUMS);
    assert.equal(sink.values().length, 120 - 65);
  });
}
