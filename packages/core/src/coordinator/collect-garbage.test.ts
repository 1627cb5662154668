// Goal: a collection deletes what nobody needs and nothing else, also beside a job that runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestPath, slotPath } from '../checkpoint/paths.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { collectGarbage } from './collect-garbage.ts';
import {
  FakeProcess,
  FaultyStorage,
  namesOf,
  recoverWith,
  settle,
  VirtualTime,
  writeRun,
} from './coordinator-test-bed.ts';
import { JobFencedError } from './coordinator-errors.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

test('collectGarbage deletes orphans and keeps checkpoints and what is not ours', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage, { numRetained: 2 });
  await process.checkpoint();
  await process.checkpoint();
  await process.driver.end('job-stopped');
  await process.driver.close();
  const before = await namesOf(storage);
  await writeRun(storage, 'shared/1-9-x1.run');
  await storage.put('chk-1/notes.txt', [Buffer.from('ours? no manifest')]);
  await storage.put('notes.txt', [Buffer.from('not ours')]);
  const time = new VirtualTime();
  const { deleted, unreadable } = await collectGarbage(storage, time.environment, 'totals');
  assert.deepEqual([deleted, unreadable], [['chk-1/notes.txt', 'shared/1-9-x1.run'], []]);
  const after = await namesOf(storage);
  assert.deepEqual(after.toSorted(), [...before, slotPath(4), 'notes.txt'].toSorted());
  assert.equal((await recoverWith(time, storage)).manifest?.checkpointId, 2);
});

test('collectGarbage keeps what a job completed until it lost the log', async () => {
  const memory = new MemoryStorage();
  const process = await FakeProcess.start(memory);
  await process.checkpoint();
  // The job completes another one after the first look at the log.
  const storage = new FaultyStorage(memory);
  let isFirst = true;
  storage.fault = async (operation) => {
    if (operation !== 'createIfAbsent' || !isFirst) return null;
    isFirst = false;
    await process.checkpoint();
    return null;
  };
  const time = new VirtualTime();
  await time.until(collectGarbage(storage, time.environment, 'totals'));
  const next = await recoverWith(time, memory);
  assert.equal(next.manifest?.checkpointId, 2);
  const report = await verifyCheckpoint(next.manifest!, memory, time.environment);
  assert.deepEqual([report.runs, report.problems], [2, []]);
});

test('collectGarbage fences the job, which completes nothing any more', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  const done = assert.rejects(process.driver.triggerCheckpoint());
  const held = await writeRun(storage, 'shared/1-1-held.run');
  const { deleted } = await collectGarbage(storage, new VirtualTime().environment, 'totals');
  assert.deepEqual(deleted, [held.file]);
  await process.acknowledge(2, [held]);
  await process.time.advance(10_000);
  await done;
  await settle();
  assert.ok(process.job.failures[0] instanceof JobFencedError);
  const next = await recoverWith(new VirtualTime(), storage);
  assert.equal(next.manifest?.checkpointId, 1);
});

test('collectGarbage deletes nothing if a complete checkpoint cannot be read', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  const orphan = await writeRun(storage, 'shared/1-9-x1.run');
  const bytes = await storage.get(manifestPath(1));
  bytes[7]! ^= 1;
  await storage.put(manifestPath(1), [bytes]);
  const time = new VirtualTime();
  const { deleted, unreadable } = await collectGarbage(storage, time.environment, 'totals');
  assert.deepEqual([deleted, unreadable], [[], [manifestPath(1)]]);
  assert.ok((await namesOf(storage)).includes(orphan.file));
});
