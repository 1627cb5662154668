// Goal: a process takes a job over and goes on from the right checkpoint, or says why it cannot.
// Method: fake processes over one memory storage, one after the other and side by side.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CorruptManifestError,
  StateOperatorMissingError,
} from '../checkpoint/checkpoint-errors.ts';
import { encodeManifest } from '../checkpoint/manifest.ts';
import { manifestPath, slotPath } from '../checkpoint/paths.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import {
  FakeProcess,
  namesOf,
  recoverWith,
  settle,
  VirtualTime,
  writeRun,
} from './coordinator-test-bed.ts';
import {
  JobFencedError,
  RestoreBehindNewestError,
  SingleWriterRequiredError,
} from './coordinator-errors.ts';
import { readLogOf } from './log-owner.ts';

async function withCheckpoints(count: number, numRetained = 10): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage, { numRetained });
  for (let i = 0; i < count; i++) await process.checkpoint();
  await process.driver.close();
  return storage;
}

function named(storage: MemoryStorage, checkpointId: number) {
  const manifest = manifestPath(checkpointId);
  const path = `/data/${manifest}`;
  return { kind: 'manifest', path, storage, directory: '/data', manifest } as const;
}

test('recover begins without state in an empty directory', async () => {
  const recovery = await recoverWith(new VirtualTime(), new MemoryStorage());
  assert.deepEqual(
    [recovery.manifest, recovery.nextCheckpointId, recovery.generation],
    [null, 1, 1],
  );
});

test('recover goes on from the latest checkpoint, as the same instance', async () => {
  const storage = await withCheckpoints(3);
  const before = await readLogOf(storage, new VirtualTime().environment);
  const recovery = await recoverWith(new VirtualTime(), storage);
  assert.equal(recovery.manifest?.checkpointId, 3);
  assert.equal(recovery.nextCheckpointId, 4);
  assert.equal(recovery.instanceId, before.log.claim?.instanceId);
  assert.equal(recovery.restoredFrom, manifestPath(3));
});

test('recover says that the newest is damaged, and takes no older one', async () => {
  const storage = await withCheckpoints(2);
  const bytes = await storage.get(manifestPath(2));
  bytes[100]! ^= 4;
  await storage.put(manifestPath(2), [bytes]);
  const names = await namesOf(storage);
  await assert.rejects(recoverWith(new VirtualTime(), storage), CorruptManifestError);
  assert.deepEqual(await namesOf(storage), names, 'found out before the claim; nothing changed');
  const recovery = await recoverWith(new VirtualTime(), storage, {
    from: named(storage, 1),
    allowDuplicates: true,
  });
  assert.equal(recovery.manifest?.operators.count?.subtasks.length, 2);
  assert.ok((await namesOf(storage)).includes(manifestPath(2)), 'a damaged one stops the sweep');
});

test('recover says that the manifest of the newest checkpoint is missing', async () => {
  const storage = await withCheckpoints(2);
  await storage.delete(manifestPath(2));
  await assert.rejects(recoverWith(new VirtualTime(), storage), CorruptManifestError);
});

test('recover refuses a manifest that is not the one the slot was won with', async () => {
  const storage = await withCheckpoints(2);
  await storage.put(manifestPath(2), [await storage.get(manifestPath(1))]);
  await assert.rejects(recoverWith(new VirtualTime(), storage), CorruptManifestError);
});

test('recover does not end the running process when the job cannot be restored', async () => {
  const storage = new MemoryStorage();
  const running = await FakeProcess.start(storage);
  await running.checkpoint();
  const check = () => {
    throw new StateOperatorMissingError('gone', { operatorUids: ['count'] });
  };
  await assert.rejects(
    recoverWith(new VirtualTime(), storage, { check }),
    StateOperatorMissingError,
  );
  assert.equal(await running.checkpoint(), 2);
});

test('recover refuses to go back behind the newest checkpoint', async () => {
  const storage = await withCheckpoints(3);
  const options = { from: named(storage, 2) };
  await assert.rejects(recoverWith(new VirtualTime(), storage, options), RestoreBehindNewestError);
});

test('recover imports an older one as a new instance if duplicates are allowed', async () => {
  const storage = await withCheckpoints(3);
  const before = await recoverWith(new VirtualTime(), storage);
  const fork = await recoverWith(new VirtualTime(), storage, {
    from: named(storage, 2),
    allowDuplicates: true,
  });
  assert.notEqual(fork.instanceId, before.instanceId);
  assert.equal(fork.manifest?.checkpointId, 4, 'imported under an id of its own');
  assert.deepEqual([before.leftBehind, fork.leftBehind], [null, 3], 'output that is out');
  const again = await recoverWith(new VirtualTime(), storage);
  assert.equal(again.manifest?.checkpointId, 4, 'latest is the import');
  assert.equal(again.instanceId, fork.instanceId);
});

test('recover takes the newest, named by its path, as no fork', async () => {
  const storage = await withCheckpoints(2);
  const latest = await recoverWith(new VirtualTime(), storage);
  const same = await recoverWith(new VirtualTime(), storage, { from: named(storage, 2) });
  assert.equal(same.instanceId, latest.instanceId);
  assert.equal(same.manifest?.checkpointId, 2);
});

test('recover says that what is named holds no snapshot, before it claims', async () => {
  const storage = await withCheckpoints(1);
  const names = await namesOf(storage);
  const from = { ...named(storage, 1), manifest: 'chk-9/manifest.json', path: '/cp/chk-9' };
  await assert.rejects(recoverWith(new VirtualTime(), storage, { from }), {
    code: 'SNAPSHOT_NOT_FOUND',
    message: 'there is no checkpoint or savepoint in /cp/chk-9',
  });
  assert.deepEqual(await namesOf(storage), names);
});

test('recover imports what another directory holds, without reading its runs', async () => {
  const foreign = await withCheckpoints(1);
  const storage = new MemoryStorage(new Map(), 'own');
  const fork = await recoverWith(new VirtualTime(), storage, {
    jobName: 'fork',
    from: named(foreign, 1),
  });
  const runs = fork.manifest!.operators.count!.subtasks.flatMap(({ keyed }) => keyed!.runs);
  for (const { file, offset, length } of runs) {
    assert.equal((await fork.storage.getRange(file, offset, length)).length, length);
  }
  assert.equal(fork.manifest?.jobName, 'fork');
  assert.deepEqual(await namesOf(storage, 'shared/'), [], 'copied later: restore-modes.test.ts');
});

test('recover without state does not find the old checkpoints again later', async () => {
  const storage = await withCheckpoints(2);
  const fresh = await recoverWith(new VirtualTime(), storage, { from: { kind: 'none' } });
  assert.notEqual(fresh.leftBehind, null, 'output that is out stays');
  assert.equal(fresh.manifest, null);
  assert.equal(fresh.nextCheckpointId, 3, 'ids are not used again');
  assert.deepEqual(await namesOf(storage, 'chk-'), []);
  assert.deepEqual(await namesOf(storage, 'shared/'), []);
  assert.equal((await recoverWith(new VirtualTime(), storage)).manifest, null);
});

test('recover deletes what failed attempts left, and skips their ids', async () => {
  const storage = await withCheckpoints(1);
  await writeRun(storage, 'shared/1-1-9s0.run');
  await storage.put(manifestPath(9), [await storage.get(manifestPath(1))]);
  await storage.put('notes.txt', [Buffer.from('mine')]);
  const recovery = await recoverWith(new VirtualTime(), storage);
  assert.equal(recovery.nextCheckpointId, 10);
  const names = await namesOf(storage);
  assert.ok(!names.includes('shared/1-1-9s0.run') && !names.includes(manifestPath(9)));
  assert.ok(names.includes('notes.txt'), 'what is not ours stays');
  assert.equal((await namesOf(storage, 'shared/')).length, 2);
});

test('recover deletes what a sleeper wrote under the name of a dropped manifest', async () => {
  const storage = await withCheckpoints(3, 1); // the slots of all three are still there
  const { manifest } = await recoverWith(new VirtualTime(), storage);
  const sleepers = encodeManifest({ ...manifest!, checkpointId: 2, generation: 0 });
  await storage.createIfAbsent(manifestPath(2), sleepers);
  await writeRun(storage, 'shared/0-1-1.run');
  const { complete } = await recoverWith(new VirtualTime(), storage);
  assert.deepEqual(
    complete.map(({ slot }) => slot.checkpointId),
    [3],
  );
  const names = await namesOf(storage);
  assert.ok(!names.includes(manifestPath(2)));
  assert.ok(!names.includes('shared/0-1-1.run'), 'nothing keeps the sweep from its work');
});

test('recover fences the process that ran the job', async () => {
  const storage = new MemoryStorage();
  const old = await FakeProcess.start(storage);
  await old.checkpoint();
  await recoverWith(new VirtualTime(), storage);
  const done = assert.rejects(old.driver.triggerCheckpoint());
  await old.acknowledge(2);
  await settle();
  await done;
  assert.ok(old.job.failures[0] instanceof JobFencedError);
  assert.ok(!old.job.calls.includes('complete 2'));
});

test('recover refuses exactly-once without conditional create, unless vouched for', async () => {
  const storage = new MemoryStorage();
  Object.defineProperty(storage, 'hasConditionalCreate', { value: false });
  await assert.rejects(recoverWith(new VirtualTime(), storage), SingleWriterRequiredError);
  await recoverWith(new VirtualTime(), storage, { assumeSingleWriter: true });
  await recoverWith(new VirtualTime(), storage, { needsExactlyOnce: false });
});

test('recover stands by while the owner shows signs of life', async () => {
  const storage = new MemoryStorage();
  const owner = await FakeProcess.start(storage);
  await owner.checkpoint();
  const time = new VirtualTime();
  let isRecovered = false;
  const waitedFor: number[] = [];
  const onStandby = (generation: number) => void waitedFor.push(generation);
  const standby = recoverWith(time, storage, { standby: true, onStandby }).then((recovery) => {
    isRecovered = true;
    return recovery;
  });
  for (let second = 0; second < 60; second++) {
    await owner.time.advance(1_000);
    await time.advance(1_000);
  }
  assert.equal(isRecovered, false);
  assert.equal((await namesOf(storage, 'log/')).at(-1), slotPath(2), 'no claim yet');
  // The owner hangs: its time stands still.
  await time.advance(25_000);
  assert.ok(isRecovered);
  assert.deepEqual(waitedFor, [1], 'the owner is told once');
  assert.equal((await standby).manifest?.checkpointId, 1);
});

test('recover need not wait for an owner that has closed', async () => {
  const storage = await withCheckpoints(1);
  const recovery = await recoverWith(new VirtualTime(), storage, { standby: true });
  assert.equal(recovery.manifest?.checkpointId, 1);
});
