// Goal: what stands in manifests is bounded, each run is moved once, and what is read stays the
// same. Method: manifests of growing lists of small runs, over a storage in memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { inlineBytesOf, runsOf } from '../checkpoint/files-of.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../checkpoint/manifest.ts';
import { runIdOf } from '../state/run-reference.ts';
import type { RunReference } from '../state/snapshot.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { FaultyStorage, namesOf, VirtualTime } from './coordinator-test-bed.ts';
import { InlineBudget } from './inline-budget.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

function inlineRun(number: number, bytes = 100): RunReference {
  const data = Buffer.alloc(bytes, number);
  return {
    file: `inline/1-1-${number}`,
    offset: 0,
    length: bytes,
    crc32: crc32(data),
    keyGroups: { first: 0, last: 127 },
    entries: 1,
    inline: data.toString('base64'),
  };
}

function manifestWith(...lists: RunReference[][]): Manifest {
  return {
    formatVersion: 2,
    jobName: 'totals',
    instanceId: '00',
    generation: 1,
    checkpointId: 1,
    kind: 'checkpoint',
    triggeredAtMs: 0,
    completedAtMs: 0,
    fingerprint: 'f00d',
    enumerators: {},
    operators: {
      count: {
        parallelism: lists.length,
        maxParallelism: 128,
        subtasks: lists.map((runs) => ({
          finished: false,
          keyed: { keyGroups: { first: 0, last: 127 }, tables: [], runs },
          lists: [],
        })),
      },
    },
  };
}

function bed(bytesMax: number) {
  const storage = new FaultyStorage(new MemoryStorage());
  const time = new VirtualTime();
  const budget = new InlineBudget(storage, time.environment, bytesMax);
  let objects = 0;
  const nextName = (): string => `shared/1-1-m${++objects}.run`;
  return { storage, time, budget, nextName };
}

test('InlineBudget leaves little where it is', async () => {
  const { budget, storage, nextName } = bed(300);
  const manifest = manifestWith([1, 2, 3].map((number) => inlineRun(number)));
  const fitted = await budget.fit(manifest, nextName);
  assert.deepEqual([fitted.manifest, fitted.file], [manifest, null]);
  assert.deepEqual(await namesOf(storage), []);
});

test('InlineBudget moves runs that are too many into one object, each once', async () => {
  const { budget, storage, time, nextName } = bed(300);
  const runs = [1, 2, 3, 4].map((number) => inlineRun(number));
  const first = await budget.fit(manifestWith(runs), nextName);
  budget.accept(first);
  assert.deepEqual([first.file, inlineBytesOf(first.manifest)], ['shared/1-1-m1.run', 0]);
  // A new one in front, an old one merged away.
  const second = await budget.fit(manifestWith([inlineRun(5), ...runs.slice(0, 3)]), nextName);
  assert.deepEqual([second.file, inlineBytesOf(second.manifest)], [null, 100]);
  assert.deepEqual([...runsOf(second.manifest)].map(runIdOf), [
    'inline/1-1-5:0',
    'shared/1-1-m1.run:0',
    'shared/1-1-m1.run:100',
    'shared/1-1-m1.run:200',
  ]);
  for (const { manifest } of [first, second]) {
    const read = decodeManifest(encodeManifest(manifest), 'm');
    const { problems } = await verifyCheckpoint(read, storage, time.environment);
    assert.deepEqual(problems, []);
  }
});

test('InlineBudget keeps how a run is cut for each subtask', async () => {
  const { budget, nextName } = bed(10);
  const run = inlineRun(1);
  const halves = [
    { ...run, keyGroups: { first: 0, last: 63 } },
    { ...run, keyGroups: { first: 64, last: 127 } },
  ];
  const { manifest } = await budget.fit(manifestWith([halves[0]!], [halves[1]!]), nextName);
  const moved = [...runsOf(manifest)];
  assert.deepEqual(
    moved.map(({ keyGroups }) => keyGroups.first),
    [0, 64],
  );
  assert.equal(new Set(moved.map(runIdOf)).size, 1);
});

test('InlineBudget believes only what a complete checkpoint refers to', async () => {
  const { budget, storage, nextName } = bed(150);
  const manifest = manifestWith([inlineRun(1), inlineRun(2)]);
  const first = await budget.fit(manifest, nextName); // its checkpoint failed: no accept
  const second = await budget.fit(manifest, nextName);
  assert.notEqual(second.file, first.file);
  budget.accept(second);
  // Not told for one checkpoint: the object may be deleted, so the run is not believed to be there.
  budget.accept(await budget.fit(manifestWith([]), nextName));
  const again = await budget.fit(manifestWith([inlineRun(1)]), nextName);
  assert.deepEqual([...runsOf(again.manifest)], [inlineRun(1)]);
  assert.deepEqual(await namesOf(storage), [first.file, second.file]);
});
