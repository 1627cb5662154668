import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StateDescriptors } from './descriptors.ts';
import { list, map, value } from './descriptors.ts';
import { buildRunJob } from './build-run-job.ts';
import { compactRunsJob } from './compact-runs-job.ts';
import { inspectRun, type InspectedEntry } from './run-inspection.ts';
import { readRestoredRuns } from './restored-runs.ts';
import { readRunSlice } from './run-slice.ts';
import type { RunReference } from './snapshot.ts';
import { CorruptRunError } from './state-errors.ts';
import { StateTestBed } from './state-test-bed.ts';

const ALL = { first: 0, last: 3 };
const options = { keyGroupRange: ALL, maxParallelism: 4, compaction: () => 0 };

/** Two runs: entries of all kinds, then changes and tombstones. */
async function twoRuns(bed: StateTestBed): Promise<readonly RunReference[]> {
  const store = await bed.open(options);
  const { box, items, index } = store.states({
    box: value<{ n: number; name: string } | undefined>(undefined, { ttl: { ttlMs: 50 } }),
    items: list<string>(),
    index: map<string, number>(),
  });
  for (const key of ['a', 'b', 'c']) {
    store.setCurrentKey(key);
    box.set({ n: 1, name: `${key} `.repeat(100) });
    items.addAll(['x', 'y']);
    index.set('one', 1);
  }
  await bed.finish(store.persist(store.freeze(), 'checkpoint'));
  store.setCurrentKey('a');
  box.clear();
  index.set('two', 2);
  return (await bed.finish(store.persist(store.freeze(), 'checkpoint'))).runs;
}

async function inspect(bed: StateTestBed, reference: RunReference): Promise<InspectedEntry[]> {
  const entries: InspectedEntry[] = [];
  for await (const entry of inspectRun(bed.atOnce(), reference)) entries.push(entry);
  return entries;
}

test('a run with any byte changed is found out when it is restored', async () => {
  const bed = new StateTestBed();
  const [, oldest] = await twoRuns(bed);
  const bytes = bed.objects.get(oldest!.file)!;
  for (let at = oldest!.offset; at < oldest!.offset + oldest!.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      bytes[at]! ^= flip;
      await assert.rejects(readRestoredRuns(bed.atOnce(), [oldest!], ALL), (error: unknown) => {
        assert.ok(error instanceof CorruptRunError, `byte ${at}: ${String(error)}`);
        assert.equal(error.details.file, oldest!.file);
        assert.ok(error.details.offset >= oldest!.offset);
        assert.equal(error.retry, 'never');
        return true;
      });
      bytes[at]! ^= flip;
    }
  }
  await readRestoredRuns(bed.atOnce(), [oldest!], ALL);
});

test('a run that is cut off anywhere is found out', async () => {
  const bed = new StateTestBed();
  const [reference] = await twoRuns(bed);
  const bytes = bed.objects.get(reference!.file)!;
  for (let length = 0; length < reference!.length; length += 3) {
    bed.objects.set(reference!.file, bytes.subarray(0, reference!.offset + length));
    await assert.rejects(readRestoredRuns(bed.atOnce(), [reference!], ALL), CorruptRunError);
  }
});

test('damage in key groups of others does not matter', async () => {
  const bed = new StateTestBed();
  const runs = await twoRuns(bed);
  const oldest = runs.at(-1)!;
  const slice = await readRunSlice(bed.atOnce(), oldest, ALL);
  const [first, second] = slice.sections;
  bed.objects.get(oldest.file)![slice.offset + first!.start + 20]! ^= 1;
  const mine = { first: second!.keyGroup, last: second!.keyGroup };
  await readRestoredRuns(bed.atOnce(), runs, mine);
  await assert.rejects(readRestoredRuns(bed.atOnce(), runs, ALL), CorruptRunError);
});

test('inspectRun shows every entry without the job', async () => {
  const bed = new StateTestBed();
  const [newest, oldest] = await twoRuns(bed);
  const changes = await inspect(bed, newest!);
  const brief = changes.map(({ table, key, sub, isTombstone, value: x }) => [
    table,
    key,
    sub,
    isTombstone ? 'gone' : x,
  ]);
  brief.sort();
  assert.deepEqual(brief, [
    ['box', 'a', undefined, 'gone'],
    ['index', 'a', 'two', 2],
  ]);
  const entries = await inspect(bed, oldest!);
  assert.equal(entries.length, 12);
  assert.equal(entries.length, oldest!.entries);
  const box = entries.find(({ table, key }) => table === 'box' && key === 'b');
  assert.deepEqual(box?.value, { n: 1, name: 'b '.repeat(100) });
  assert.equal(box?.expiresAtMs, bed.nowMs + 50);
  assert.equal(box?.kind, 'value');
  assert.equal(box?.version, 1);
  bed.objects.get(oldest!.file)![oldest!.offset + 4]! ^= 1;
  await assert.rejects(inspect(bed, oldest!), CorruptRunError);
});

test('compaction keeps tombstones unless the oldest run is included', async () => {
  const bed = new StateTestBed();
  const runs = await twoRuns(bed);
  const slices = await Promise.all(runs.map((run) => readRunSlice(bed.atOnce(), run, ALL)));
  const merge = async (includesOldest: boolean, nowMs: number): Promise<InspectedEntry[]> => {
    const run = compactRunsJob.run({ slices, includesOldest, nowMs, compression: 'none' });
    return run === null ? [] : inspect(bed, await bed.atOnce().write(run));
  };
  const kept = await merge(false, bed.nowMs);
  assert.equal(kept.length, 13);
  assert.equal(kept.filter(({ isTombstone }) => isTombstone).length, 1);
  assert.equal((await merge(true, bed.nowMs)).length, 12);
  const aged = await merge(true, bed.nowMs + 50); // the two boxes that are left have expired
  assert.deepEqual(new Set(aged.map(({ table }) => table)), new Set(['items', 'index']));
});

test('keys above 64 KB and values above a block are stored like others', async () => {
  const bed = new StateTestBed();
  const states: StateDescriptors = { text: value<string>('') };
  const store = await bed.open(options);
  const keys = ['k'.repeat(100_000), `${'k'.repeat(100_000)}2`, ['t', 'u'.repeat(70_000)]];
  const write = store.states(states).text as { set(text: string): void };
  for (const [i, key] of keys.entries()) {
    store.setCurrentKey(key);
    write.set('v'.repeat(50_000 + i));
  }
  const { runs } = await bed.finish(store.persist(store.freeze(), 'checkpoint'));
  const restored = await bed.open(options, runs);
  const read = restored.states(states).text as { get(): string };
  for (const [i, key] of keys.entries()) {
    restored.setCurrentKey(key);
    assert.equal(read.get().length, 50_000 + i);
  }
});

test('a run of megabytes is read by footer and range', async () => {
  const bed = new StateTestBed();
  const store = await bed.open({ ...options, compression: 'none' });
  const { text } = store.states({ text: value('') });
  for (let i = 0; i < 300; i++) {
    store.setCurrentKey(i);
    text.set(String(i).repeat(10_000));
  }
  const { runs } = await bed.finish(store.persist(store.freeze(), 'checkpoint'));
  assert.ok(runs[0]!.length > 4 << 20);
  const reads: number[] = [];
  const counting = {
    ...bed.atOnce(),
    read: (reference: RunReference, offset: number, length: number) => {
      reads.push(length);
      return bed.atOnce().read(reference, offset, length);
    },
  };
  await readRestoredRuns(counting, runs, { first: 1, last: 1 });
  assert.equal(reads.length, 3);
  assert.ok(Math.max(...reads) < runs[0]!.length / 2);
  const half = await bed.open({ ...options, keyGroupRange: { first: 0, last: 1 } }, runs);
  const other = await bed.open({ ...options, keyGroupRange: { first: 2, last: 3 } }, runs);
  let count = 0;
  for (const part of [half, other]) {
    const states = part.states({ text: value('') });
    part.forEachKey('text', (key) => {
      assert.equal(states.text.get(), String(key).repeat(10_000));
      count++;
    });
  }
  assert.equal(count, 300);
});

test('buildRunJob gives its buffers away and names its module', () => {
  assert.match(buildRunJob.module, /build-run-job\.[jt]s$/);
  assert.equal(buildRunJob.exportName, 'buildRunJob');
  const chunk = new Uint8Array(8);
  const input = { chunks: [chunk], tables: [], shapes: [], compression: 'none' } as const;
  assert.deepEqual(buildRunJob.transferInput!(input), [chunk.buffer]);
});
