// Goal: a reference means that its run is durable; what failed is not referred to and keeps nobody
// else from being written. Method: a storage that fails and waits as told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { FaultyStorage, namesOf, VirtualTime } from '../coordinator/coordinator-test-bed.ts';
import { RunUse } from '../coordinator/run-use.ts';
import type { EncodedRun } from '../state/run-store.ts';
import type { RunReference } from '../state/snapshot.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { StoragePermissionError } from '../storage/storage-errors.ts';
import { RunFileStore } from './run-file-store.ts';

const LARGE = 8 << 20;

function encoded(length: number, fill = 1): EncodedRun {
  const bytes = new Uint8Array(length).fill(fill);
  return {
    chunks: [bytes.subarray(0, 1), bytes.subarray(1)],
    length,
    crc32: crc32(bytes),
    firstKeyGroup: 3,
    lastKeyGroup: 5,
    entries: 2,
    entryBytes: length - 1,
  };
}

function bed(inlineBytesMax: number) {
  const time = new VirtualTime();
  const storage = new FaultyStorage(new MemoryStorage());
  const unused: string[] = [];
  const use = new RunUse((file) => unused.push(file));
  let objects = 0;
  let inline = 0;
  const store = new RunFileStore({
    storage,
    environment: time.environment,
    nextName: () => `shared/1-1-${++objects}.run`,
    nextInlineName: () => `inline/1-1-${++inline}`,
    inlineBytesMax,
    use,
  });
  const write = (...runs: EncodedRun[]): Promise<RunReference[]> =>
    time.until(Promise.all(runs.map((run) => store.write(run))));
  return { time, storage, use, unused, store, write };
}

async function content(store: RunFileStore, reference: RunReference): Promise<number> {
  const bytes = await store.read(reference, 0, reference.length);
  assert.deepEqual(store.readNow(reference, 0, reference.length), bytes);
  assert.deepEqual(await store.read(reference, 1, 2), bytes.subarray(1, 3));
  return crc32(bytes);
}

test('RunFileStore writes what comes together into one object', async () => {
  const { write, storage, store } = bed(0);
  const references = await write(encoded(10, 1), encoded(20, 2));
  assert.deepEqual(await namesOf(storage), ['shared/1-1-1.run']);
  assert.deepEqual(
    references.map(({ offset }) => offset),
    [0, 10],
  );
  for (const reference of references) {
    assert.equal(await content(store, reference), reference.crc32);
  }
});

test('RunFileStore leaves little to the manifest, and writes no object for it', async () => {
  const { write, storage, store } = bed(30);
  const references = await write(encoded(10, 1), encoded(20, 2));
  assert.deepEqual(await namesOf(storage), []);
  assert.deepEqual(
    references.map(({ file }) => file),
    ['inline/1-1-1', 'inline/1-1-2'],
  );
  for (const reference of references) {
    assert.equal(await content(store, reference), reference.crc32);
  }
  const [together] = await write(encoded(20, 1), encoded(11, 2));
  assert.equal(together!.file, 'shared/1-1-1.run');
});

test('RunFileStore uploads large runs beside each other, a few at a time', async () => {
  const { write, storage, use } = bed(0);
  let running = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  storage.fault = (operation) => {
    if (operation !== 'put') return null;
    most = Math.max(most, ++running);
    return new Promise((resolve) => {
      waiting.push(() => {
        running--;
        resolve(null);
      });
      if (waiting.length === 4) for (const go of waiting.splice(0)) go();
    });
  };
  const small = [encoded(5), encoded(6)];
  const large = Array.from({ length: 7 }, () => encoded(LARGE));
  const references = await write(...large, ...small);
  assert.equal(most, 4);
  const files = references.map(({ file }) => file);
  assert.equal(new Set(files.slice(0, 7)).size, 7);
  assert.equal(files[7], files[8]);
  assert.ok(files.every((file) => use.isInUse(file)));
});

test('RunFileStore repeats an upload under another name, and tells the first', async () => {
  for (const moment of ['before', 'after'] as const) {
    const { write, storage, store, use, unused } = bed(0);
    let tries = 0;
    storage.fault = (operation) => (operation === 'put' && ++tries < 3 ? moment : null);
    const [reference] = await write(encoded(10));
    assert.deepEqual(unused, ['shared/1-1-1.run', 'shared/1-1-2.run']);
    assert.equal(reference!.file, 'shared/1-1-3.run');
    assert.equal(await content(store, reference!), reference!.crc32);
    assert.ok(use.isInUse(reference!.file) && !use.isInUse(unused[0]!));
  }
});

test('RunFileStore fails only the runs of the object that failed for good', async () => {
  const { time, storage, store, use, unused } = bed(0);
  storage.fault = (operation, name) => {
    if (operation !== 'put' || name !== 'shared/1-1-1.run') return null;
    throw new StoragePermissionError('not allowed', { location: 'memory', operation, name });
  };
  const failed = store.write(encoded(LARGE));
  const others = [store.write(encoded(LARGE)), store.write(encoded(10))];
  await assert.rejects(time.until(failed), StoragePermissionError);
  const written = await time.until(Promise.all(others));
  assert.deepEqual(
    written.map(({ file }) => file),
    ['shared/1-1-2.run', 'shared/1-1-3.run'],
  );
  assert.deepEqual([unused, use.isInUse('shared/1-1-1.run')], [['shared/1-1-1.run'], false]);
  // What its owner still has goes into the next object.
  const again = await time.until(store.write(encoded(LARGE)));
  assert.equal(again.file, 'shared/1-1-4.run');
});

test('RunFileStore says when an object is not used any more', async () => {
  const { write, store, unused } = bed(0);
  const [a, b] = await write(encoded(10), encoded(10));
  store.letGo(a!);
  store.hold(b!);
  store.letGo(b!);
  assert.deepEqual(unused, []);
  store.letGo(b!);
  assert.deepEqual(unused, ['shared/1-1-1.run']);
});
