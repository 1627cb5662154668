// Goal: a job that begins from another directory runs at once, and in the end owns all that it
// needs: by copies (no-claim), or because the directory is its own now (claim). Method: fake
// processes over two memory storages, crashes and failures in between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeManifest } from '../checkpoint/manifest.ts';
import { MANIFEST_NAME, manifestPath } from '../checkpoint/paths.ts';
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
import { checkRun } from './run-copier.ts';
import type { RecoveryOptions, RestoreMode } from './recovery.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

const DIRECTORY = '/saved/totals';

interface World {
  /** Of the savepoint. */
  readonly saved: MemoryStorage;
  readonly foreign: FaultyStorage;
  readonly own: MemoryStorage;
  readonly begin: (mode: RestoreMode) => Partial<RecoveryOptions>;
  readonly goOn: Partial<RecoveryOptions>;
}

/** A savepoint of two runs, and an empty directory of another job. */
async function world(): Promise<World> {
  const saved = new MemoryStorage(new Map(), DIRECTORY);
  const process = await FakeProcess.start(new MemoryStorage());
  const done = process.driver.triggerSavepoint({ storage: saved, path: DIRECTORY });
  await process.acknowledge(1);
  await process.time.until(done);
  await process.driver.close();
  const foreign = new FaultyStorage(saved);
  const openDirectory = async (directory: string): Promise<FaultyStorage> => {
    assert.equal(directory, DIRECTORY);
    return foreign;
  };
  const from = {
    kind: 'manifest',
    path: DIRECTORY,
    storage: foreign,
    directory: DIRECTORY,
    manifest: MANIFEST_NAME,
  } as const;
  return {
    saved,
    foreign,
    own: new MemoryStorage(new Map(), 'own'),
    begin: (restoreMode) => ({ jobName: 'fork', from, restoreMode, openDirectory }),
    goOn: { jobName: 'fork', openDirectory },
  };
}

function runsOfJob(process: FakeProcess): RunReference[] {
  const subtasks = process.driver.latestManifest!.operators.count!.subtasks;
  return subtasks.flatMap(({ keyed }) => keyed!.runs);
}

/** The tasks tell what they were restored with and one new run. */
async function checkpointWith(process: FakeProcess, kept: readonly RunReference[]): Promise<void> {
  const done = process.driver.triggerCheckpoint();
  const id = Number(process.job.calls.at(-1)!.split(' ')[1]);
  const { generation, storage } = process.recovery;
  const name = `shared/${generation}-${process.job.attempt}-${id}.run`;
  const run = await writeRun(storage, name);
  const { attempt } = process.job;
  process.driver.onMessage(acknowledge(attempt, id, 'count#0', [run, ...kept]));
  process.driver.onMessage(acknowledge(attempt, id, 'count#1', []));
  await process.time.until(done);
  await settle();
}

async function checkLatest(process: FakeProcess, runs: number): Promise<void> {
  const { environment } = process.time;
  const manifest = process.driver.latestManifest!;
  const report = await verifyCheckpoint(manifest, process.storage, environment);
  assert.deepEqual([report.runs, report.problems], [runs, []]);
}

test('no-claim: a job begins at once, and its first checkpoint needs only its own', async () => {
  const { saved, foreign, own, begin } = await world();
  let reads = 0;
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  foreign.fault = async (operation) => {
    if (operation !== 'getRange') return null;
    reads++;
    await held;
    return null;
  };
  const process = await FakeProcess.start(own, { numRetained: 5 }, begin('no-claim'));
  const restored = runsOfJob(process);
  assert.deepEqual(
    restored.map(({ file }) => file.split('/')[0]),
    ['foreign', 'foreign'],
  );
  assert.ok(process.job.attempt === 1 && reads <= 2, 'it runs while it copies');
  const done = checkpointWith(process, restored);
  await process.time.advance(60_000);
  assert.equal(process.driver.lastCheckpoint, null, 'not before all is copied');
  release();
  await done;
  assert.deepEqual(
    process.events.filter(({ kind }) => kind === 'released'),
    [{ kind: 'released', directory: DIRECTORY }],
  );
  for (const name of await namesOf(saved)) await saved.delete(name);
  await checkLatest(process, 3);
  // What tasks still know by the old name is read from the copy.
  for (const run of restored) {
    await checkRun(run, process.recovery.storage, process.time.environment);
    process.recovery.storage.getRangeNow!(run.file, run.offset, run.length);
  }
  assert.deepEqual(await namesOf(own, 'chk-'), [manifestPath(2)], 'the import is gone');
  await checkpointWith(process, restored);
  await checkLatest(process, 3);
  const { figures } = process.driver.latestManifest!;
  assert.equal(figures!.files, 1, 'copies are not new');
  assert.equal((await recoverWith(new VirtualTime(), own)).manifest?.checkpointId, 3);
});

test('no-claim: a crash before the first checkpoint begins from the import again', async () => {
  const { own, begin, goOn } = await world();
  const first = await FakeProcess.start(own, {}, begin('no-claim'));
  await first.time.advance(1_000);
  assert.equal((await namesOf(own, 'shared/')).length, 2, 'copied, and named by nobody');
  const next = await FakeProcess.start(own, {}, goOn);
  assert.equal(next.driver.latestManifest?.checkpointId, 1);
  assert.equal(next.recovery.instanceId, first.recovery.instanceId);
  await checkpointWith(next, runsOfJob(next));
  await checkLatest(next, 3);
  assert.equal((await namesOf(own, 'shared/')).length, 3, 'copies of the dead one are gone');
});

test('no-claim: a restart does not wait for the copy, which goes on', async () => {
  const { foreign, own, begin } = await world();
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  foreign.fault = async (operation) => {
    if (operation === 'getRange') await held;
    return null;
  };
  const process = await FakeProcess.start(own, { tolerableFailures: 5 }, begin('no-claim'));
  const given = assert.rejects(process.driver.triggerCheckpoint());
  await process.acknowledge(2, []);
  await process.time.until(process.driver.end('job-failed'));
  await given;
  process.driver.beginUse();
  process.job = new FakeJob(2);
  process.driver.start(process.job);
  release();
  await checkpointWith(process, runsOfJob(process));
  await checkLatest(process, 3);
});

test('no-claim: a failed copy fails the checkpoint, and the next one tries again', async () => {
  const { foreign, own, begin } = await world();
  foreign.fault = (operation) => (operation === 'getRange' ? 'before' : null);
  const process = await FakeProcess.start(own, { tolerableFailures: 5 }, begin('no-claim'));
  const restored = runsOfJob(process);
  const failed = assert.rejects(process.driver.triggerCheckpoint());
  await process.acknowledge(2, restored);
  await process.time.advance(600_000);
  await failed;
  foreign.fault = () => null;
  await checkpointWith(process, restored);
  await checkLatest(process, 3);
});

test('no-claim: a damaged run is found before a checkpoint refers to its copy', async () => {
  const { saved, own, begin } = await world();
  const [name] = await namesOf(saved, 'shared/');
  const bytes = await saved.get(name!);
  bytes[1]! ^= 1;
  await saved.put(name!, [bytes]);
  const process = await FakeProcess.start(own, { tolerableFailures: 5 }, begin('no-claim'));
  const failed = assert.rejects(process.driver.triggerCheckpoint(), /damaged/);
  await process.acknowledge(2, runsOfJob(process));
  await process.time.advance(60_000);
  await failed;
  assert.deepEqual(await namesOf(own, 'chk-'), [manifestPath(1)]);
});

test('no-claim: copies stay while a task holds the original, and go afterwards', async () => {
  const { saved, own, begin } = await world();
  const process = await FakeProcess.start(own, {}, begin('no-claim'));
  await process.driver.end('job-failed');
  const use = process.driver.beginUse();
  process.job = new FakeJob(2);
  process.driver.start(process.job);
  const restored = runsOfJob(process);
  for (const { file } of restored) use.hold(file);
  await checkpointWith(process, restored);
  await checkpointWith(process, []);
  await checkpointWith(process, []);
  const copies = (): Promise<string[]> => namesOf(own, 'shared/1-0-import');
  assert.equal((await copies()).length, 2, 'held');
  for (const { file } of restored) use.letGo(file);
  await checkpointWith(process, []);
  assert.equal((await copies()).length, 0);
  assert.equal((await namesOf(saved)).length, 3, 'the savepoint is not touched');
});

test('claim: nothing is copied, and what is not needed any more goes', async () => {
  const { saved, own, begin, goOn } = await world();
  const process = await FakeProcess.start(own, {}, begin('claim'));
  assert.deepEqual(await namesOf(saved), ['shared/1.run', 'shared/2.run'], 'no second job');
  const restored = runsOfJob(process);
  await checkpointWith(process, restored);
  assert.deepEqual(
    [await namesOf(own, 'shared/'), await namesOf(saved)],
    [['shared/1-1-2.run'], ['shared/1.run', 'shared/2.run']],
  );
  assert.equal(process.driver.latestManifest?.foreign?.['1']?.isClaimed, true);
  // The next process finds the directory by the manifest.
  const next = await FakeProcess.start(own, {}, goOn);
  const kept = runsOfJob(next);
  for (const run of kept) await checkRun(run, next.recovery.storage, next.time.environment);
  await checkpointWith(next, kept.slice(0, 2)); // one of the savepoint was merged away
  assert.deepEqual(await namesOf(saved), ['shared/1.run']);
  await checkpointWith(next, []);
  assert.deepEqual(await namesOf(saved), []);
  assert.equal(next.driver.latestManifest?.foreign, undefined);
  const last = await recoverWith(new VirtualTime(), own);
  assert.equal(last.storage, own, 'no other directory is needed');
});

test('claim: what a process that died had not deleted goes with the next claim', async () => {
  const { saved, own, begin, goOn } = await world();
  const process = await FakeProcess.start(own, {}, begin('claim'));
  await checkpointWith(process, runsOfJob(process).slice(0, 1));
  await writeRun(saved, 'shared/2.run'); // as if it had died before the deletion
  await FakeProcess.start(own, {}, goOn);
  assert.deepEqual(await namesOf(saved), ['shared/1.run']);
});

test('a savepoint of a job that claimed another holds everything itself', async () => {
  const { saved, own, begin } = await world();
  const process = await FakeProcess.start(own, {}, begin('claim'));
  const target = new MemoryStorage(new Map(), 'target');
  const done = process.driver.triggerSavepoint({ storage: target, path: '/save/2' });
  await process.acknowledge(2, runsOfJob(process).slice(0, 1));
  await process.time.until(done);
  for (const name of await namesOf(saved)) await saved.delete(name);
  const manifest = decodeManifest(await target.get(MANIFEST_NAME), 'm');
  assert.equal(manifest.foreign, undefined);
  const report = await verifyCheckpoint(manifest, target, process.time.environment);
  assert.deepEqual([report.runs, report.problems], [1, []]);
});
