// Goal: a checkpoint that a released version has written restores for ever: keys of all types,
// states of all kinds, timers, windows. The directories beside this file hold what the job of
// kinds-job.ts left behind when it was stopped in each format version, what it had committed by
// then, and what is in its state; they must never be changed or written anew.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { memorySink } from '@millrace/connectors';
import { run } from '@millrace/core';
import {
  checkpointRunSource,
  dumpTable,
  latestOf,
  nodeEnvironment,
  readLogOf,
  readManifest,
  storedTables,
  toTaggedJson,
  verifySnapshot,
} from '@millrace/core/checkpoint';
import { VirtualEnvironment } from '@millrace/testing';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';
import { kindsJob } from './kinds-job.ts';

function directoryOf(version: number): string {
  return fileURLToPath(new URL(`kinds-v${version}`, import.meta.url));
}

function stored(version: number): MemoryStorage {
  const directory = directoryOf(version);
  const objects = new Map<string, Uint8Array>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath === directory) continue;
    const path = join(entry.parentPath, entry.name);
    objects.set(path.slice(directory.length + 1), readFileSync(path));
  }
  return new MemoryStorage(objects);
}

/** All output of the job from `storage` on. */
async function outputFrom(storage: MemoryStorage, parallelism: number): Promise<string[]> {
  const environment = new VirtualEnvironment({ seed: 1, msPerStep: 0.5 });
  const [out, windowsOut] = [memorySink<string>(), memorySink<string>()];
  const checkpoints = { directory: 'memory' };
  const options = { environment, parallelism, storage, checkpoints };
  const execution = await environment.runUntil(run(kindsJob(out, windowsOut), options), 100_000);
  await environment.runUntil(execution.done, 100_000);
  return [...out.values(), ...windowsOut.values()];
}

for (const version of [1, 2]) {
  for (const parallelism of [1, 3]) {
    test(`format version ${version} restores with ${parallelism} subtasks`, async () => {
      const whole = await outputFrom(new MemoryStorage(), 1);
      assert.equal(new Set(whole).size, whole.length);
      const committed = JSON.parse(
        readFileSync(join(directoryOf(version), 'committed.json'), 'utf8'),
      ) as string[];
      const after = await outputFrom(stored(version), parallelism);
      assert.ok(after.length > 100 && after.length < whole.length - 100);
      // The last checkpoint's output is committed again: this sink has never seen it.
      assert.equal(new Set(after).size, after.length);
      assert.deepEqual([...new Set([...committed, ...after])].sort(), whole.toSorted());
    });
  }

  test(`state of format version ${version} reads as it was meant`, async () => {
    const storage = stored(version);
    const environment = nodeEnvironment();
    const { log } = await readLogOf(storage, environment);
    const manifest = await readManifest(storage, environment, latestOf(log)!);
    assert.equal(manifest.formatVersion, version);
    assert.deepEqual((await verifySnapshot(manifest, storage, environment)).problems, []);
    const source = checkpointRunSource(storage, environment);
    const lines: string[] = [];
    for (const [uid, operator] of Object.entries(manifest.operators)) {
      for (const { name } of storedTables(operator)) {
        for await (const entry of dumpTable(operator, source, name, { nowMs: 0 })) {
          const { key, sub, value, version: stateVersion, expiresAtMs } = entry;
          const facts = [uid, name, key, sub, value, stateVersion, expiresAtMs];
          lines.push(JSON.stringify(toTaggedJson(facts)));
        }
      }
    }
    const expected = readFileSync(join(directoryOf(version), 'state.jsonl'), 'utf8');
    assert.deepEqual(lines, expected.trimEnd().split('\n'));
  });
}
