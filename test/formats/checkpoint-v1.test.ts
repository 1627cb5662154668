// Goal: what a released version has written can be read for ever. The directory beside this file
// was written by format version 1 (two checkpoints of a small job, the first one dropped by
// retention); it must never be changed or written anew.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  latestOf,
  nodeEnvironment,
  readLogOf,
  readManifest,
  verifyCheckpoint,
} from '../../packages/core/src/checkpoint.ts';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';

const DIRECTORY = fileURLToPath(new URL('checkpoint-v1', import.meta.url));

test('a checkpoint directory of format version 1 is read as it was meant', async () => {
  const objects = new Map<string, Uint8Array>();
  for (const entry of readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    objects.set(path.slice(DIRECTORY.length + 1), readFileSync(path));
  }
  const storage = new MemoryStorage(objects);
  const environment = nodeEnvironment();
  const { log } = await readLogOf(storage, environment);
  assert.deepEqual([log.claim?.generation, log.nextCheckpointId], [1, 3]);
  const manifest = await readManifest(storage, environment, latestOf(log)!);
  assert.deepEqual(
    [manifest.jobName, manifest.checkpointId, manifest.kind, manifest.fingerprint],
    ['totals', 2, 'checkpoint', 'f00d'],
  );
  assert.deepEqual(manifest.enumerators, { orders: { seen: 2 } });
  const keyed = manifest.operators.count?.subtasks[1]?.keyed;
  assert.deepEqual(keyed?.keyGroups, { first: 64, last: 127 });
  assert.deepEqual(keyed?.tables, [{ name: 'total', kind: 'value', version: 1 }]);
  const report = await verifyCheckpoint(manifest, storage, environment);
  assert.deepEqual([report.runs, report.problems], [2, []]);
});
