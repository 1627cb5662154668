// Goal: a checkpoint is told to the tasks only when it is durable and its slot is won; files stay
// as long as something needs them. Method: a fake job over memory, faults at each call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeManifest } from '../checkpoint/manifest.ts';
import { manifestPath, slotPath } from '../checkpoint/paths.ts';
import type { RunReference } from '../state/snapshot.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import {
  acknowledge,
  FakeJob,
  FakeProcess,
  FaultyStorage,
  namesOf,
  recoverWith,
  settle,
  VirtualTime,
  writeRun,
} from './coordinator-test-bed.ts';
import {
  CheckpointAbortedError,
  JobFencedError,
  TooManyCheckpointFailuresError,
} from './coordinator-errors.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

test('CheckpointDriver completes: acks, manifest, slot, then the notification', async () => {
  const memory = new MemoryStorage();
  const storage = new FaultyStorage(memory);
  const process = await FakeProcess.start(storage);
  const written: string[] = [];
  storage.fault = (operation, name) => {
    if (operation === 'createIfAbsent') written.push(`${name} told ${process.job.calls.length}`);
    return null;
  };
  const done = process.driver.triggerCheckpoint();
  await process.acknowledge(1);
  const completed = await done;
  assert.deepEqual(written, [`${manifestPath(1)} told 1`, `${slotPath(2)} told 1`]);
  assert.deepEqual(process.job.calls, ['trigger 1 checkpoint', 'complete 1']);
  assert.equal(completed.path, manifestPath(1));
  assert.ok(completed.totalBytes > 0 && completed.writtenBytes === completed.totalBytes);
  assert.equal(process.driver.lastCheckpoint, completed);
  const manifest = process.driver.latestManifest!;
  assert.deepEqual(manifest.enumerators, { orders: { seen: 1 } });
  assert.deepEqual(decodeManifest(await memory.get(manifestPath(1)), 'm'), manifest);
  const report = await verifyCheckpoint(manifest, memory, process.time.environment);
  assert.deepEqual([report.runs, report.problems], [2, []]);
});

test('CheckpointDriver triggers by itself and takes the time from the environment', async () => {
  const process = await FakeProcess.start(new MemoryStorage(), { intervalMs: 1_000 });
  await process.time.advance(999);
  assert.deepEqual(process.job.calls, []);
  await process.time.advance(1);
  assert.deepEqual(process.job.calls, ['trigger 1 checkpoint']);
  await process.acknowledge(1);
  await process.time.advance(1_000);
  assert.deepEqual(process.job.calls.slice(1), ['complete 1', 'trigger 2 checkpoint']);
});

test('CheckpointDriver aborts on timeout and on decline, and tells tasks and callers', async () => {
  const options = { timeoutMs: 500, tolerableFailures: 5 };
  const process = await FakeProcess.start(new MemoryStorage(), options);
  const late = assert.rejects(process.driver.triggerCheckpoint(), CheckpointAbortedError);
  await process.time.advance(500);
  await late;
  const declined = assert.rejects(process.driver.triggerCheckpoint(), CheckpointAbortedError);
  process.driver.onMessage({
    kind: 'decline',
    attempt: 1,
    subtask: 'count#0',
    checkpointId: 2,
    reason: 'disk full',
  });
  await declined;
  assert.deepEqual(
    process.job.calls.filter((call) => call.startsWith('abort')),
    ['abort 1', 'abort 2'],
  );
});

test('CheckpointDriver fails the attempt after too many failures', async () => {
  const process = await FakeProcess.start(new MemoryStorage(), { timeoutMs: 500 });
  const late = assert.rejects(process.driver.triggerCheckpoint());
  await process.time.advance(500);
  await late;
  assert.ok(process.job.failures[0] instanceof TooManyCheckpointFailuresError);
});

test('CheckpointDriver aborts when the manifest cannot be written, and goes on', async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const process = await FakeProcess.start(storage, { tolerableFailures: 1 });
  storage.fault = (operation, name) =>
    operation === 'createIfAbsent' && name.startsWith('chk-') ? 'before' : null;
  const failed = assert.rejects(process.driver.triggerCheckpoint(), CheckpointAbortedError);
  await process.acknowledge(1);
  await process.time.advance(60_000);
  await failed;
  storage.fault = () => null;
  assert.equal(await process.checkpoint(), 2);
  assert.deepEqual(await namesOf(storage, 'shared/'), ['shared/1-1-2s0.run', 'shared/1-1-2s1.run']);
});

for (const moment of ['before', 'after'] as const) {
  test(`CheckpointDriver survives an unknown outcome of every write, lost ${moment}`, async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const process = await FakeProcess.start(storage);
    const failed = new Set<string>();
    storage.fault = (operation, name) => {
      if (operation !== 'createIfAbsent' || failed.has(name)) return null;
      failed.add(name);
      return moment;
    };
    const done = process.driver.triggerCheckpoint();
    await process.acknowledge(1);
    await process.time.until(done);
    assert.equal(failed.size, 2);
    assert.deepEqual(process.job.calls, ['trigger 1 checkpoint', 'complete 1']);
  });
}

test('CheckpointDriver: a crash between manifest and slot leaves it incomplete', async () => {
  const memory = new MemoryStorage();
  const storage = new FaultyStorage(memory);
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  storage.fault = (operation, name) =>
    operation === 'createIfAbsent' && name.startsWith('log/') ? 'before' : null;
  process.driver.triggerCheckpoint().catch(() => {});
  await process.acknowledge(2);
  await process.time.advance(1_000);
  assert.ok((await namesOf(memory)).includes(manifestPath(2)));
  const next = await recoverWith(new VirtualTime(), memory);
  assert.equal(next.manifest?.checkpointId, 1);
  assert.equal(next.nextCheckpointId, 3);
  storage.fault = () => null;
  await process.time.advance(60_000);
  assert.ok(
    process.job.failures[0] instanceof JobFencedError,
    'the old one wakes up and is fenced',
  );
  assert.ok(!process.job.calls.includes('complete 2'));
});

test('CheckpointDriver ignores acknowledgements of a dead attempt', async () => {
  const process = await FakeProcess.start(new MemoryStorage());
  process.driver.triggerCheckpoint().catch(() => {});
  await process.driver.end('job-failed');
  process.job = new FakeJob(2);
  process.driver.start(process.job);
  const done = process.driver.triggerCheckpoint();
  await process.acknowledge(2);
  await done;
  for (const id of [1, 2]) process.driver.onMessage(acknowledge(1, id, 'count#0', []));
  assert.deepEqual(process.job.calls, ['trigger 2 checkpoint', 'complete 2']);
});

test('CheckpointDriver knows at the end whether the last checkpoint completed', async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const process = await FakeProcess.start(storage);
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  storage.fault = async (operation, name) => {
    if (operation === 'createIfAbsent' && name.startsWith('log/')) await held;
    return null;
  };
  const done = process.driver.triggerCheckpoint();
  await process.acknowledge(1);
  await settle();
  const ended = process.driver.end('job-failed');
  release();
  await ended;
  await done;
  assert.equal(process.driver.latestManifest?.checkpointId, 1);
  assert.deepEqual(process.job.calls, ['trigger 1 checkpoint'], 'nobody is left to be told');
});

test('CheckpointDriver does not wait for ever for a dead storage when the job stops', async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const process = await FakeProcess.start(storage);
  process.driver.triggerCheckpoint().catch(() => {});
  storage.fault = (operation, name) =>
    operation === 'createIfAbsent' && name.startsWith('log/') ? 'before' : null;
  await process.acknowledge(1);
  await process.time.until(process.driver.end('job-stopped'));
  assert.ok(process.time.nowMs < 30_000);
  assert.equal(process.driver.lastCheckpoint, null);
  assert.deepEqual(process.job.calls, ['trigger 1 checkpoint']);
});

test('CheckpointDriver keeps numRetained checkpoints and every file that they need', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage, { numRetained: 2 });
  const first = process.driver.triggerCheckpoint();
  const runs = await process.acknowledge(1);
  await first;
  // Checkpoint 2 refers to the runs of 1 again; 3 and 4 do not.
  const second = process.driver.triggerCheckpoint();
  await process.acknowledge(2, runs);
  await second;
  await process.checkpoint();
  assert.deepEqual(await namesOf(storage, 'chk-'), [manifestPath(2), manifestPath(3)]);
  assert.ok((await namesOf(storage)).includes(runs[0]!.file), 'needed by 2');
  await process.checkpoint();
  assert.deepEqual(await namesOf(storage, 'chk-'), [manifestPath(3), manifestPath(4)]);
  assert.ok(!(await namesOf(storage)).includes(runs[0]!.file));
});

test('CheckpointDriver deletes no run while a dropped manifest cannot be deleted', async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  storage.fault = (operation) => (operation === 'delete' ? 'before' : null);
  await process.checkpoint();
  await process.checkpoint();
  assert.equal((await namesOf(storage, 'chk-')).length, 3);
  assert.equal((await namesOf(storage, 'shared/')).length, 6);
  storage.fault = () => null;
  await process.checkpoint();
  assert.deepEqual(await namesOf(storage, 'chk-'), [manifestPath(4)]);
  assert.equal((await namesOf(storage, 'shared/')).length, 2);
});

test('CheckpointDriver keeps what an aborted one wrote until the next is complete', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage, { tolerableFailures: 9, timeoutMs: 500 });
  const late = assert.rejects(process.driver.triggerCheckpoint());
  const kept = await writeRunsOf(process, 1);
  process.driver.onMessage(kept.message);
  await process.time.advance(500);
  await late;
  assert.ok((await namesOf(storage)).includes(kept.file), 'the next may refer to it');
  await process.checkpoint();
  assert.ok(!(await namesOf(storage)).includes(kept.file));
});

async function writeRunsOf(process: FakeProcess, checkpointId: number) {
  const file = `shared/1-1-orphan${checkpointId}.run`;
  const run = await writeRun(process.storage, file);
  return { file, message: acknowledge(1, checkpointId, 'count#0', [run]) };
}

test('CheckpointDriver writes a savepoint that needs nothing but itself', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  const target = new MemoryStorage(new Map(), 'savepoint');
  const done = process.driver.triggerSavepoint({ storage: target, path: '/save/1' });
  await process.acknowledge(2);
  const savepoint = await done;
  assert.equal(savepoint.path, '/save/1');
  assert.deepEqual(await namesOf(target), ['manifest.json', 'shared/1.run', 'shared/2.run']);
  const manifest = decodeManifest(await target.get('manifest.json'), 'm');
  const report = await verifyCheckpoint(manifest, target, process.time.environment);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(process.job.calls.slice(-2), ['trigger 2 savepoint', 'complete 2']);
  // What it holds is committed, so a restart must not go back behind it.
  const next = await recoverWith(new VirtualTime(), storage);
  assert.equal(next.manifest?.checkpointId, 2);
});

test('CheckpointDriver does not make an older savepoint the latest', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage, { maxConcurrent: 2, numRetained: 3 });
  const target = new MemoryStorage(new Map(), 'savepoint');
  const savepoint = process.driver.triggerSavepoint({ storage: target, path: '/save/1' });
  await process.checkpoint();
  await process.acknowledge(1);
  assert.equal((await savepoint).checkpointId, 1);
  await settle();
  assert.equal(process.driver.latestManifest?.checkpointId, 2);
  assert.equal((await recoverWith(new VirtualTime(), storage)).manifest?.checkpointId, 2);
});

test('CheckpointDriver triggers nothing after a stop', async () => {
  const process = await FakeProcess.start(new MemoryStorage(), { intervalMs: 1_000 });
  const done = process.driver.stopWithCheckpoint(null);
  await process.acknowledge(1);
  await done;
  await process.time.advance(10_000);
  await assert.rejects(process.driver.triggerCheckpoint(), CheckpointAbortedError);
  assert.deepEqual(process.job.calls, ['trigger 1 checkpoint', 'complete 1']);
});

test('CheckpointDriver deletes everything of a job that keeps nothing, but no id', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  await process.driver.end('job-stopped');
  await process.driver.discardAll();
  await process.driver.close();
  assert.deepEqual(await namesOf(storage), [slotPath(3)]);
  const next = await recoverWith(new VirtualTime(), storage);
  assert.deepEqual([next.manifest, next.nextCheckpointId], [null, 2]);
});

test('CheckpointDriver sweeps what a dead attempt wrote and nobody refers to', async () => {
  const process = await FakeProcess.start(new MemoryStorage());
  await process.checkpoint();
  const { file } = await writeRunsOf(process, 7);
  await process.driver.end('job-failed');
  process.job = new FakeJob(2);
  process.driver.start(process.job);
  await settle();
  const names = await namesOf(process.storage, 'shared/');
  assert.ok(!names.includes(file));
  assert.equal(names.length, 2, 'the latest checkpoint keeps its runs');
});

test('CheckpointDriver sweeps nothing of the process that replaced it (G1)', async () => {
  const storage = new MemoryStorage();
  const old = await FakeProcess.start(storage);
  await old.checkpoint();
  const next = await FakeProcess.start(storage);
  await next.checkpoint();
  const names = await namesOf(storage);
  await old.driver.end('job-failed');
  old.job = new FakeJob(2);
  old.driver.start(old.job);
  await settle();
  assert.deepEqual(await namesOf(storage), names);
});

test('verifyCheckpoint finds a missing file, a short one and a changed byte', async () => {
  const storage = new MemoryStorage();
  const process = await FakeProcess.start(storage);
  await process.checkpoint();
  const manifest = process.driver.latestManifest!;
  const [first, second] = await namesOf(storage, 'shared/');
  const bytes = await storage.get(first!);
  await storage.put(first!, [bytes.subarray(0, 3)]);
  const { environment } = process.time;
  assert.equal((await verifyCheckpoint(manifest, storage, environment)).problems.length, 2);
  bytes[2]! ^= 1;
  await storage.put(first!, [bytes]);
  assert.equal((await verifyCheckpoint(manifest, storage, environment)).problems.length, 1);
  await storage.delete(second!);
  assert.equal((await verifyCheckpoint(manifest, storage, environment)).problems.length, 3);
});

test('CheckpointDriver keeps runs of an aborted checkpoint for those begun before', async () => {
  const storage = new MemoryStorage();
  const options = { maxConcurrent: 3, tolerableFailures: 5 };
  const process = await FakeProcess.start(storage, options);
  const [one, two, three] = ['1', '2', '3'].map((name) =>
    writeRun(storage, `shared/1-1-${name}.run`),
  );
  const first = process.driver.triggerCheckpoint();
  const second = assert.rejects(process.driver.triggerCheckpoint(), CheckpointAbortedError);
  const third = process.driver.triggerCheckpoint();
  const tell = (id: number, subtask: string, runs: RunReference[]) =>
    process.driver.onMessage(acknowledge(1, id, subtask, runs));
  tell(1, 'count#0', [await one!]);
  tell(2, 'count#0', [await two!, await one!]);
  process.driver.onMessage({
    kind: 'decline',
    attempt: 1,
    subtask: 'count#1',
    checkpointId: 2,
    reason: 'disk full',
  });
  await second;
  tell(1, 'count#1', []); // completes checkpoint 1, which does not know run 2
  await first;
  await settle();
  tell(3, 'count#0', [await three!, await two!, await one!]);
  tell(3, 'count#1', []);
  await third;
  await settle();
  const manifest = process.driver.latestManifest!;
  const report = await verifyCheckpoint(manifest, storage, process.time.environment);
  assert.deepEqual([report.runs, report.problems], [3, []]);
  await process.checkpoint();
  assert.equal((await namesOf(storage, 'shared/')).length, 2, 'nothing refers to the three runs');
});
