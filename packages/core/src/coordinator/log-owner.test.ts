// Goal: at most one process can complete checkpoints, whatever storage and scheduling do.
// Method: two owners over one memory, and a storage that fails before or after the effect.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CorruptLogError } from '../checkpoint/checkpoint-errors.ts';
import { slotPath } from '../checkpoint/paths.ts';
import { latestOf } from '../checkpoint/slot-log.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { FileStorage } from '../storage/file-storage.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { nodeFileSystem } from '../storage/node-file-system.ts';
import { JobFencedError } from './coordinator-errors.ts';
import { FaultyStorage, namesOf, settle, VirtualTime } from './coordinator-test-bed.ts';
import { type Completion, LogOwner, readLogOf } from './log-owner.ts';

function claim(time: VirtualTime, storage: CheckpointStorage): Promise<LogOwner> {
  return LogOwner.claim({
    storage,
    environment: time.environment,
    jobName: 'totals',
    decide: (log) => ({ instanceId: log.claim?.instanceId ?? 'i1', isFresh: false }),
  });
}

function completion(checkpointId: number): Completion {
  return {
    checkpointId,
    snapshotKind: 'checkpoint',
    isStop: false,
    manifest: `chk-${checkpointId}/manifest.json`,
    manifestCrc32: 0,
  };
}

async function latestId(time: VirtualTime, storage: CheckpointStorage): Promise<number | null> {
  const { log } = await readLogOf(storage, time.environment);
  return latestOf(log)?.checkpointId ?? null;
}

test('LogOwner claims, completes and is read back', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const owner = await claim(time, storage);
  assert.equal(owner.generation, 1);
  await owner.complete(completion(1));
  await owner.complete(completion(2));
  assert.equal(await latestId(time, storage), 2);
  const next = await claim(time, storage);
  assert.equal(next.generation, 4);
  assert.equal(next.instanceId, 'i1');
  assert.equal(next.claimedLog.nextCheckpointId, 3);
});

test('LogOwner is fenced by a later claim, for good', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const old = await claim(time, storage);
  await claim(time, storage);
  await assert.rejects(old.complete(completion(1)), JobFencedError);
  assert.ok(old.isFenced);
  await assert.rejects(old.complete(completion(1)), JobFencedError);
  assert.equal(await latestId(time, storage), null);
});

test('LogOwner is fenced even if its slot was pruned and can be created again (L3)', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const sleeper = await claim(time, storage);
  const owner = await claim(time, storage);
  await owner.complete(completion(7));
  await owner.prune([3], 8);
  assert.deepEqual(await namesOf(storage, 'log/'), [slotPath(2), slotPath(3)]);
  // Slot 2 is what the sleeper tries; prune it as well by claiming again.
  const newest = await claim(time, storage);
  await newest.prune([], 8);
  assert.deepEqual(await namesOf(storage, 'log/'), [slotPath(4)]);
  await assert.rejects(sleeper.complete(completion(9)), JobFencedError);
  assert.equal((await namesOf(storage, 'log/')).length, 2, 'its leftover is there');
  const { log } = await readLogOf(storage, time.environment);
  assert.deepEqual([log.claim?.generation, log.checkpoints], [4, []]);
});

test('LogOwner ignores a leftover that stands just before the first claim (L4)', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const sleeper = await claim(time, storage);
  const owner = await claim(time, storage);
  await (await claim(time, storage)).prune([], 1);
  assert.deepEqual(await namesOf(storage, 'log/'), [slotPath(3)]);
  await assert.rejects(sleeper.complete(completion(9)), JobFencedError);
  await assert.rejects(owner.complete(completion(9)), JobFencedError);
  assert.equal(await latestId(time, storage), null);
});

for (const moment of ['before', 'after'] as const) {
  test(`LogOwner resolves an unknown outcome that was lost ${moment} its effect`, async () => {
    const time = new VirtualTime();
    const storage = new FaultyStorage(new MemoryStorage());
    const owner = await claim(time, storage);
    let faults = 3;
    storage.fault = (operation) => (operation === 'createIfAbsent' && faults-- > 0 ? moment : null);
    const { sequence } = await time.until(owner.complete(completion(1)));
    assert.equal(sequence, 2);
    assert.equal(await latestId(time, storage), 1);
    await owner.complete(completion(2));
    assert.equal(await latestId(time, storage), 2);
  });

  test(`LogOwner loses to a claim made while its own outcome was lost ${moment}`, async () => {
    const time = new VirtualTime();
    const memory = new MemoryStorage();
    const storage = new FaultyStorage(memory);
    const owner = await claim(time, storage);
    storage.fault = (operation) => (operation === 'createIfAbsent' ? moment : null);
    const done = assert.rejects(owner.complete(completion(1)), JobFencedError);
    await settle();
    await claim(time, memory);
    storage.fault = () => null;
    await time.until(done);
    // With its effect the checkpoint is complete, and the new owner saw it; without, it is not.
    assert.equal(await latestId(time, memory), moment === 'after' ? 1 : null);
  });
}

test('LogOwner confirms by a list before it acts', async () => {
  const time = new VirtualTime();
  const memory = new MemoryStorage();
  const storage = new FaultyStorage(memory);
  const owner = await claim(time, storage);
  // Between the won slot and the list somebody claims.
  storage.fault = async (operation) => {
    if (operation === 'list') await claim(time, memory);
    return null;
  };
  await assert.rejects(owner.complete(completion(1)), JobFencedError);
  assert.equal(await latestId(time, memory), 1, 'complete in the log: the new owner commits it');
});

test('LogOwner gives up an unknown outcome when it is abandoned', async () => {
  const time = new VirtualTime();
  const storage = new FaultyStorage(new MemoryStorage());
  const owner = await claim(time, storage);
  storage.fault = (operation) => (operation === 'createIfAbsent' ? 'before' : null);
  const done = assert.rejects(owner.complete(completion(1)));
  await time.advance(10_000);
  owner.abandon();
  await time.until(done);
});

test('LogOwner: of many claims at once each gets a generation of its own', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const owners = await Promise.all([1, 2, 3, 4].map(() => claim(time, storage)));
  assert.equal(new Set(owners.map(({ generation }) => generation)).size, 4);
  const outcomes = await Promise.allSettled(owners.map((owner) => owner.complete(completion(1))));
  assert.ok(outcomes.filter(({ status }) => status === 'fulfilled').length <= 1);
});

test('LogOwner has one winner on a real disk too', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  try {
    const time = new VirtualTime();
    const { random } = time.environment;
    const storages = [1, 2, 3].map(() => new FileStorage(directory, nodeFileSystem(), random));
    const owners: LogOwner[] = [];
    for (const storage of storages) owners.push(await claim(time, storage));
    const outcomes = await Promise.allSettled(owners.map((owner) => owner.complete(completion(1))));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected', 'fulfilled'],
    );
    assert.equal(await latestId(time, storages[0]!), 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('LogOwner keeps the log short by claiming again', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const owner = await claim(time, storage);
  for (let id = 1; id <= 350; id++) {
    const { sequence } = await owner.complete(completion(id));
    await owner.prune([sequence], id + 1);
  }
  const names = await namesOf(storage, 'log/');
  assert.ok(names.length < 210, `${names.length} slots`);
  assert.equal(await latestId(time, storage), 350);
  const next = await claim(time, storage);
  assert.equal(next.claimedLog.nextCheckpointId, 351);
  await assert.rejects(owner.complete(completion(351)), JobFencedError);
});

test('LogOwner forgets all checkpoints, but no id', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  const owner = await claim(time, storage);
  await owner.complete(completion(5));
  await owner.forgetAll(6);
  const { log } = await readLogOf(storage, time.environment);
  assert.deepEqual([latestOf(log), log.nextCheckpointId], [null, 6]);
});

test('LogOwner refuses a log with a damaged slot', async () => {
  const time = new VirtualTime();
  const storage = new MemoryStorage();
  await claim(time, storage);
  const bytes = await storage.get(slotPath(1));
  bytes[20]! ^= 1;
  await storage.put(slotPath(1), [bytes]);
  await assert.rejects(claim(time, storage), CorruptLogError);
});
