import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckpointStorage } from './checkpoint-storage.ts';
import { StorageNameError, StorageNotFoundError } from './storage-errors.ts';

/** What the suite should know of a driver. */
export interface ConformanceOptions {
  /** Bytes of the large objects: several parts, where a driver uploads in parts. Default 3 MB. */
  readonly largeBytes?: number;
  /** Objects of the long list, more than a page of the driver. Default 1 100. */
  readonly manyCount?: number;
}

/**
 * What every driver of `CheckpointStorage` must do, as tests of `node:test`.
 *
 * @param make a new storage without objects; called once per test
 */
export function storageConformance(
  driver: string,
  make: () => CheckpointStorage | Promise<CheckpointStorage>,
  options: ConformanceOptions = {},
): void {
  const { largeBytes = 3_000_000, manyCount = 1_100 } = options;
  const check = (title: string, run: (storage: CheckpointStorage) => Promise<void>): void => {
    test(title, async () => {
      const storage = await make();
      try {
        await run(storage);
      } finally {
        await storage.close();
      }
    });
  };
  describe(`${driver} as checkpoint storage`, () => {
    check('gives back what was put, chunk after chunk', (s) => putsAndGets(s, largeBytes));
    check('stores streams of any size and grain', (s) => putsStreams(s, largeBytes));
    check('shows a streamed object only when it is complete', (s) =>
      hidesUnfinished(s, largeBytes),
    );
    check('leaves no object when its stream fails', (s) => dropsFailedStreams(s, largeBytes));
    check('reads ranges, cut at the end of the object', readsRanges);
    check('lists by prefix in order of name', lists);
    check('lists and deletes many objects', (s) => handlesMany(s, manyCount));
    check('deletes, also what is not there', deletes);
    check('creates only if absent', createsIfAbsent);
    check('has one winner among concurrent creators', hasOneWinner);
    check('does not share bytes with its callers', copies);
    check('reports a missing object as such', reportsMissing);
    check('refuses names that lead elsewhere', refusesNames);
    check('does nothing for a signal that is aborted', heedsAborted);
    check('gives a stream up when its signal is aborted', (s) => givesStreamsUp(s, largeBytes));
  });
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const namesIn = async (storage: CheckpointStorage, prefix = ''): Promise<string[]> =>
  (await storage.list(prefix)).map(({ name }) => name);

function patternOf(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = i * 7 + (i >> 8) + (i >> 16);
  return bytes;
}

/** Chunks of growing size that are together `bytes`; `between` runs before each. */
async function* streamOf(
  bytes: Uint8Array,
  between: (atByte: number) => unknown = () => {},
): AsyncGenerator<Uint8Array> {
  let size = 1;
  for (let at = 0; at < bytes.length; at += size, size = Math.min(1_000_003, 3 * size)) {
    await between(at);
    yield bytes.slice(at, at + size);
  }
  await between(bytes.length);
}

async function putsAndGets(storage: CheckpointStorage, largeBytes: number): Promise<void> {
  await storage.put('shared/1-a.run', [text('ab'), text(''), text('cde')]);
  await storage.put('shared/1-b.run', []);
  assert.equal(read(await storage.get('shared/1-a.run')), 'abcde');
  assert.equal((await storage.get('shared/1-b.run')).length, 0);
  const large = patternOf(largeBytes);
  const cut = Math.floor(largeBytes / 3) + 1;
  await storage.put('shared/large', [large.subarray(0, cut), large.subarray(cut)]);
  assert.ok(Buffer.from(await storage.get('shared/large')).equals(large));
}

async function putsStreams(storage: CheckpointStorage, largeBytes: number): Promise<void> {
  for (const sizeBytes of [0, 1, 100_000, largeBytes]) {
    const bytes = patternOf(sizeBytes);
    const name = `shared/${sizeBytes}`;
    await storage.putStream(name, streamOf(bytes));
    assert.ok(Buffer.from(await storage.get(name)).equals(bytes), name);
    const middle = Math.floor(sizeBytes / 2);
    const range = await storage.getRange(name, middle, 10);
    assert.deepEqual(Buffer.from(range), Buffer.from(bytes.subarray(middle, middle + 10)));
  }
  const sizes = (await storage.list('')).map(({ sizeBytes }) => sizeBytes);
  assert.deepEqual(
    sizes.sort((a, b) => a - b),
    [0, 1, 100_000, largeBytes],
  );
}

async function hidesUnfinished(storage: CheckpointStorage, largeBytes: number): Promise<void> {
  let looks = 0;
  const look = async (): Promise<void> => {
    looks++;
    assert.deepEqual(await namesIn(storage), []);
    await assert.rejects(storage.get('a/large'), StorageNotFoundError);
  };
  await storage.putStream('a/large', streamOf(patternOf(largeBytes), look));
  assert.ok(looks > 10);
  assert.deepEqual(await namesIn(storage), ['a/large']);
}

async function dropsFailedStreams(storage: CheckpointStorage, largeBytes: number): Promise<void> {
  const bytes = patternOf(largeBytes);
  for (const failsAt of [0, 1, largeBytes]) {
    const failure = new Error('the source failed');
    const chunks = streamOf(bytes, (at) => {
      if (at >= failsAt) throw failure;
    });
    await assert.rejects(storage.putStream('a/b', chunks), (error) => error === failure);
    assert.deepEqual(await namesIn(storage), []);
  }
  await storage.putStream('a/b', streamOf(bytes));
  assert.deepEqual(await storage.list(''), [{ name: 'a/b', sizeBytes: largeBytes }]);
}

async function readsRanges(storage: CheckpointStorage): Promise<void> {
  await storage.put('a', [text('0123456789')]);
  await storage.put('empty', []);
  const cases: readonly (readonly [string, number, number, string])[] = [
    ['a', 0, 3, '012'],
    ['a', 4, 2, '45'],
    ['a', 8, 100, '89'],
    ['a', 9, 2 ** 40, '9'],
    ['a', 0, Number.MAX_SAFE_INTEGER, '0123456789'],
    ['a', 3, 0, ''],
    ['a', 10, 5, ''],
    ['a', 11, 1, ''],
    ['a', 2 ** 40, 2 ** 40, ''],
    ['empty', 0, 10, ''],
    ['empty', 0, 0, ''],
  ];
  for (const [name, offset, length, expected] of cases) {
    const title = `${name} ${offset} ${length}`;
    assert.equal(read(await storage.getRange(name, offset, length)), expected, title);
    if (storage.getRangeNow === undefined) continue;
    assert.equal(read(storage.getRangeNow(name, offset, length)), expected, title);
  }
}

async function handlesMany(storage: CheckpointStorage, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `shared/${(i * 7919) % 100_003}.run`);
  for (let at = 0; at < count; at += 32) {
    const some = names.slice(at, at + 32);
    await Promise.all(some.map((name) => storage.put(name, [text(name)])));
  }
  await storage.put('shared-not', [text('x')]);
  await storage.put('log/1.json', [text('y')]);
  const found = await storage.list('shared/');
  assert.deepEqual(
    found.map(({ name }) => name),
    [...names].sort(),
  );
  assert.ok(found.every(({ name, sizeBytes }) => sizeBytes === name.length));
  assert.equal((await storage.list('')).length, count + 2);
  await storage.deleteAll([]);
  await storage.deleteAll([...names.slice(1), 'shared/never-there', 'none/there', 'log/1.json']);
  assert.deepEqual(await namesIn(storage), ['shared-not', names[0]!].sort());
}

async function lists(storage: CheckpointStorage): Promise<void> {
  assert.deepEqual(await storage.list(''), []);
  for (const name of ['log/2.json', 'log/10.json', 'log-x', 'chk-1/manifest.json', 'log/1.json']) {
    await storage.put(name, [text(name)]);
  }
  const names = (prefix: string): Promise<string[]> => namesIn(storage, prefix);
  assert.deepEqual(await names('log/'), ['log/1.json', 'log/10.json', 'log/2.json']);
  assert.deepEqual(await names('log/1'), ['log/1.json', 'log/10.json']);
  assert.deepEqual(await names('log'), ['log-x', 'log/1.json', 'log/10.json', 'log/2.json']);
  assert.deepEqual(await names('ch'), ['chk-1/manifest.json']);
  assert.deepEqual(await names('none/'), []);
  assert.equal((await names('')).length, 5);
  assert.deepEqual(await storage.list('log-'), [{ name: 'log-x', sizeBytes: 5 }]);
}

async function deletes(storage: CheckpointStorage): Promise<void> {
  await storage.put('chk-1/manifest.json', [text('x')]);
  await storage.put('chk-2/manifest.json', [text('y')]);
  await storage.delete('chk-1/manifest.json');
  await storage.delete('chk-1/manifest.json');
  await storage.delete('never/was/there');
  assert.deepEqual(await storage.list(''), [{ name: 'chk-2/manifest.json', sizeBytes: 1 }]);
  await assert.rejects(storage.get('chk-1/manifest.json'), StorageNotFoundError);
  await storage.put('chk-1/other', [text('z')]);
  assert.equal(read(await storage.get('chk-1/other')), 'z');
}

async function createsIfAbsent(storage: CheckpointStorage): Promise<void> {
  if (!storage.hasConditionalCreate) return;
  assert.equal(await storage.createIfAbsent('log/1.json', text('first')), 'created');
  assert.equal(await storage.createIfAbsent('log/1.json', text('second')), 'exists');
  assert.equal(read(await storage.get('log/1.json')), 'first');
  assert.deepEqual(await storage.list(''), [{ name: 'log/1.json', sizeBytes: 5 }]);
  await storage.put('log/2.json', [text('put')]);
  assert.equal(await storage.createIfAbsent('log/2.json', text('late')), 'exists');
  await storage.delete('log/1.json');
  assert.equal(await storage.createIfAbsent('log/1.json', text('third')), 'created');
}

async function hasOneWinner(storage: CheckpointStorage): Promise<void> {
  if (!storage.hasConditionalCreate) return;
  for (let round = 0; round < 20; round++) {
    const name = `log/${round}.json`;
    const contents = Array.from({ length: 24 }, (_, i) => `writer ${i}`);
    const outcomes = await Promise.all(
      contents.map((content) => storage.createIfAbsent(name, text(content))),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
    assert.equal(read(await storage.get(name)), contents[outcomes.indexOf('created')]);
  }
}

async function copies(storage: CheckpointStorage): Promise<void> {
  const mine = text('abc');
  await storage.put('a', [mine]);
  mine[0] = 120;
  const got = await storage.get('a');
  assert.equal(read(got), 'abc');
  got[0] = 121;
  assert.equal(read(await storage.get('a')), 'abc');
}

async function reportsMissing(storage: CheckpointStorage): Promise<void> {
  await storage.put('a/b', [text('x')]);
  for (const name of ['missing', 'a/c', 'a', 'a/b/c', 'x/y/z']) {
    const isMissing = (error: unknown): boolean => {
      assert.ok(error instanceof StorageNotFoundError, String(error));
      assert.equal(error.details.name, name);
      return true;
    };
    const calls = [
      () => storage.get(name),
      () => storage.getRange(name, 0, 1),
      () => storage.getRange(name, 0, 0),
    ];
    // One after the other: a second rejection before its turn would be nobody's.
    for (const call of calls) await assert.rejects(call(), isMissing);
    if (storage.getRangeNow === undefined) continue;
    for (const length of [0, 1]) {
      assert.throws(() => storage.getRangeNow!(name, 0, length), isMissing);
    }
  }
}

async function refusesNames(storage: CheckpointStorage): Promise<void> {
  for (const name of ['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'a b', 'ä', 'a\\b']) {
    const calls = [
      () => storage.put(name, []),
      () => storage.putStream(name, streamOf(text('x'))),
      () => storage.createIfAbsent(name, text('')),
      () => storage.get(name),
      () => storage.getRange(name, 0, 1),
      () => storage.delete(name),
      () => storage.deleteAll([name]),
    ];
    for (const call of calls) await assert.rejects(call(), StorageNameError, name);
  }
  assert.deepEqual(await storage.list(''), []);
}

async function heedsAborted(storage: CheckpointStorage): Promise<void> {
  await storage.put('a', [text('x')]);
  const reason = new Error('not wanted any more');
  const options = { signal: AbortSignal.abort(reason) };
  const calls = [
    () => storage.put('b', [text('y')], options),
    () => storage.putStream('b', streamOf(text('y')), options),
    () => storage.createIfAbsent('b', text('y'), options),
    () => storage.get('a', options),
    () => storage.getRange('a', 0, 1, options),
    () => storage.list('', options),
    () => storage.delete('a', options),
    () => storage.deleteAll(['a'], options),
  ];
  for (const call of calls) await assert.rejects(call(), (error) => error === reason);
  assert.deepEqual(await namesIn(storage), ['a']);
  // A signal that is never aborted changes nothing.
  const { signal } = new AbortController();
  await storage.put('b', [text('y')], { signal });
  assert.equal(read(await storage.get('b', { signal })), 'y');
}

async function givesStreamsUp(storage: CheckpointStorage, largeBytes: number): Promise<void> {
  const bytes = patternOf(largeBytes);
  for (const part of [0, 0.5, 0.9]) {
    const controller = new AbortController();
    const reason = new Error('not wanted any more');
    const chunks = streamOf(bytes, (at) => {
      if (at >= part * largeBytes && at < largeBytes) controller.abort(reason);
    });
    const call = storage.putStream('a/b', chunks, { signal: controller.signal });
    await assert.rejects(call, (error) => error === reason);
    assert.deepEqual(await namesIn(storage), []);
  }
}
