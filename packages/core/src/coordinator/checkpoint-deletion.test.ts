// Goal: nothing that somebody still reads or will name is deleted, and what nobody will name goes
// while the job runs. Method: a fake job over memory that holds and lets go as a task does; then
// random lives with a plain model of what is in use.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { inlineBytesOf } from '../checkpoint/files-of.ts';
import type { RunReference } from '../state/snapshot.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import {
  acknowledge,
  FakeJob,
  FakeProcess,
  namesOf,
  settle,
  writeRun,
} from './coordinator-test-bed.ts';
import type { RunUse } from './run-use.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

/** A process whose tasks use runs; `use` is that of its attempt. */
async function startUsing(): Promise<{ process: FakeProcess; use: RunUse }> {
  const process = await FakeProcess.start(new MemoryStorage(), { maxConcurrent: 3 });
  return { process, use: await restart(process) };
}

async function restart(process: FakeProcess): Promise<RunUse> {
  await process.driver.end('job-failed');
  const use = process.driver.beginUse();
  process.job = new FakeJob(process.job.attempt + 1);
  process.driver.start(process.job);
  await settle();
  return use;
}

/** As a run store does: the writer holds it. */
async function write(process: FakeProcess, use: RunUse, name: string): Promise<RunReference> {
  const file = `shared/1-${process.job.attempt}-${name}.run`;
  use.begin(file);
  const run = await writeRun(process.storage, file);
  use.durable(file, 1, 10);
  return run;
}

async function complete(process: FakeProcess, runs: readonly RunReference[]): Promise<void> {
  const done = process.driver.triggerCheckpoint();
  const id = Number(process.job.calls.at(-1)!.split(' ')[1]);
  tell(process, id, 0, runs);
  tell(process, id, 1, []);
  await process.time.until(done);
  await settle();
}

function tell(process: FakeProcess, id: number, index: 0 | 1, runs: readonly RunReference[]): void {
  process.driver.onMessage(acknowledge(process.job.attempt, id, `count#${index}`, runs));
}

async function exists(process: FakeProcess, { file }: RunReference): Promise<boolean> {
  return (await namesOf(process.storage, file)).includes(file);
}

test('a spilled run that was merged away before any checkpoint goes with the next', async () => {
  const { process, use } = await startUsing();
  const spilled = await write(process, use, 'spill');
  const merged = await write(process, use, 'merge');
  use.letGo(spilled.file);
  assert.ok(await exists(process, spilled), 'a barrier may have been on its way');
  await complete(process, [merged]);
  assert.deepEqual([await exists(process, spilled), await exists(process, merged)], [false, true]);
});

test('a run that newer checkpoints do not name stays while a task or reader holds it', async () => {
  const { process, use } = await startUsing();
  const old = await write(process, use, 'old');
  await complete(process, [old]);
  const merged = await write(process, use, 'merge');
  await complete(process, [merged]);
  await complete(process, [merged]);
  assert.ok(await exists(process, old), 'held');
  use.hold(old.file); // a cursor
  use.letGo(old.file); // out of the list
  await complete(process, [merged]);
  assert.ok(await exists(process, old), 'still read');
  use.letGo(old.file);
  await complete(process, [merged]);
  assert.ok(!(await exists(process, old)));
});

test('a merged run that is durable and in no list yet stays', async () => {
  const { process, use } = await startUsing();
  const old = await write(process, use, 'old');
  await complete(process, [old]);
  const merged = await write(process, use, 'merge');
  await complete(process, [old]);
  await complete(process, [old]);
  assert.ok(await exists(process, merged));
  use.letGo(old.file);
  await complete(process, [merged]);
  await complete(process, [merged]);
  assert.deepEqual([await exists(process, old), await exists(process, merged)], [false, true]);
});

test('a savepoint that is pending keeps what was let go after it was triggered', async () => {
  const { process, use } = await startUsing();
  const old = await write(process, use, 'old');
  await complete(process, [old]);
  const target = new MemoryStorage(new Map(), 'savepoint');
  const savepoint = process.driver.triggerSavepoint({ storage: target, path: '/save/1' });
  const id = Number(process.job.calls.at(-1)!.split(' ')[1]);
  const merged = await write(process, use, 'merge');
  use.letGo(old.file);
  for (let times = 0; times < 3; times++) await complete(process, [merged]);
  tell(process, id, 0, [old]); // what was frozen at its barrier
  tell(process, id, 1, []);
  await process.time.until(savepoint);
  assert.deepEqual(await namesOf(target, 'shared/'), ['shared/1.run']);
  await complete(process, [merged]);
  assert.ok(!(await exists(process, old)));
});

test('what an attempt used and wrote goes when it has ended, also what ends late', async () => {
  const { process, use } = await startUsing();
  const kept = await write(process, use, 'kept');
  await complete(process, [kept]);
  const spilled = await write(process, use, 'spill');
  use.begin('shared/1-2-late.run');
  const next = await restart(process);
  assert.ok(!(await exists(process, spilled)), 'swept');
  next.hold(kept.file);
  const late = await writeRun(process.storage, 'shared/1-2-late.run');
  use.durable(late.file, 1, 10);
  await complete(process, [kept]);
  assert.deepEqual([await exists(process, late), await exists(process, kept)], [false, true]);
});

test('runs that stand in manifests move into one object when they are too many', async () => {
  const { process } = await startUsing();
  const inline = Array.from({ length: 20 }, (_, number): RunReference => {
    const bytes = Buffer.alloc(16_000, number);
    const base = { file: `inline/1-2-${number}`, offset: 0, length: bytes.length, entries: 1 };
    return {
      ...base,
      crc32: crc32(bytes),
      keyGroups: { first: 0, last: 63 },
      inline: bytes.toString('base64'),
    };
  });
  for (let count = 1; count <= inline.length; count++) {
    await complete(process, inline.slice(0, count));
    const manifest = process.driver.latestManifest!;
    assert.ok(inlineBytesOf(manifest) <= 256 << 10);
    const { problems, runs } = await verifyCheckpoint(
      manifest,
      process.storage,
      process.time.environment,
    );
    assert.deepEqual([runs, problems], [count, []]);
  }
  assert.equal((await namesOf(process.storage, 'shared/')).length, 1);
  await complete(process, inline.slice(18)); // the others were merged away
  await complete(process, inline.slice(18));
  assert.deepEqual(await namesOf(process.storage, 'shared/'), []);
});

test('figures of a checkpoint tell what is new in it', async () => {
  const { process, use } = await startUsing();
  const first = { ...(await write(process, use, 'a')), entryBytes: 7 };
  await complete(process, [first]);
  const changed = { ...(await write(process, use, 'b')), entryBytes: 5 };
  const merged = { ...(await write(process, use, 'c')), entryBytes: 9, isMerged: true } as const;
  const inline = { ...changed, file: 'inline/1-2-1', inline: 'AAAA', length: 3, entryBytes: 2 };
  await complete(process, [inline, changed, merged, first]);
  assert.deepEqual(process.driver.lastCheckpoint?.figures, {
    changedBytes: 7,
    writtenBytes: changed.length + 3,
    mergedBytes: merged.length,
    inlineBytes: 3,
    files: 2,
    uploadMs: 10,
  });
  assert.deepEqual(process.driver.latestManifest?.figures, process.driver.lastCheckpoint?.figures);
});

for (let seed = 1; seed <= 40; seed++) {
  test(`all that is named or held is there, all else goes (seed ${seed})`, () => randomLife(seed));
}

async function tellAll(process: FakeProcess, frozen: Map<number, RunReference[]>): Promise<void> {
  for (const [id, runs] of frozen) {
    frozen.delete(id); // its completion may trigger one that waits
    tell(process, id, 0, runs);
    tell(process, id, 1, []);
    await settle();
  }
}

function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

// A task that writes, merges, reads, and is snapshotted at barriers that overlap; attempts fail.
async function randomLife(seed: number): Promise<void> {
  const below = randomBelow(seed);
  const { process, use: firstUse } = await startUsing();
  let use = firstUse;
  let live: RunReference[] = [];
  let readers: RunReference[] = [];
  const frozen = new Map<number, RunReference[]>();
  const settled: Promise<unknown>[] = [];
  const watchBarriers = (): void => {
    process.job.onTrigger = ({ checkpointId }) => frozen.set(checkpointId, [...live]);
  };
  watchBarriers();
  for (let step = 0, name = 0; step < 60; step++) {
    switch (below(8)) {
      case 0:
      case 1:
        live = [await write(process, use, `s${seed}n${++name}`), ...live];
        break;
      case 2: {
        const picked = live.splice(0, 1 + below(3));
        if (picked.length === 0) break;
        const merged = await write(process, use, `s${seed}n${++name}`);
        live.unshift(merged);
        for (const { file } of picked) use.letGo(file);
        break;
      }
      case 3:
        if (live.length === 0) break;
        readers.push(live[below(live.length)]!);
        use.hold(readers.at(-1)!.file);
        break;
      case 4:
        for (const { file } of readers.splice(0, 1)) use.letGo(file);
        break;
      case 5:
        settled.push(process.driver.triggerCheckpoint().catch(() => {}));
        break;
      case 6: {
        const [oldest] = frozen;
        if (oldest === undefined) break;
        frozen.delete(oldest[0]);
        tell(process, oldest[0], 0, oldest[1]);
        tell(process, oldest[0], 1, []);
        await settle();
        break;
      }
      case 7:
        if (below(4) > 0) break;
        frozen.clear();
        readers = [];
        use = await restart(process);
        watchBarriers();
        live = [
          ...(process.driver.latestManifest?.operators.count?.subtasks[0]?.keyed?.runs ?? []),
        ];
        for (const { file } of live) use.hold(file);
    }
    const names = new Set(await namesOf(process.storage, 'shared/'));
    const needed = [...live, ...readers, ...[...frozen.values()].flat()];
    for (const { file } of needed) assert.ok(names.has(file), `step ${step}: ${file}`);
  }
  await tellAll(process, frozen);
  await Promise.all(settled);
  process.job.onTrigger = () => {};
  for (const { file } of readers) use.letGo(file);
  for (let times = 0; times < 2; times++) await complete(process, live);
  const left = await namesOf(process.storage, 'shared/');
  assert.deepEqual(left, live.map(({ file }) => file).sort());
}
