import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckpointStorage } from './checkpoint-storage.ts';
import { StorageNameError, StorageNotFoundError } from './storage-errors.ts';

/**
 * What every driver of `CheckpointStorage` must do, as tests of `node:test`.
 *
 * @param make a new storage without objects; called once per test
 */
export function storageConformance(
  driver: string,
  make: () => CheckpointStorage | Promise<CheckpointStorage>,
): void {
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
    check('gives back what was put, chunk after chunk', putsAndGets);
    check('reads ranges, cut at the end of the object', readsRanges);
    check('lists by prefix in order of name', lists);
    check('deletes, also what is not there', deletes);
    check('creates only if absent', createsIfAbsent);
    check('has one winner among concurrent creators', hasOneWinner);
    check('does not share bytes with its callers', copies);
    check('reports a missing object as such', reportsMissing);
    check('refuses names that lead elsewhere', refusesNames);
  });
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function putsAndGets(storage: CheckpointStorage): Promise<void> {
  await storage.put('shared/1-a.run', [text('ab'), text(''), text('cde')]);
  await storage.put('shared/1-b.run', []);
  assert.equal(read(await storage.get('shared/1-a.run')), 'abcde');
  assert.equal((await storage.get('shared/1-b.run')).length, 0);
  const large = new Uint8Array(3_000_000).map((_, i) => i * 7 + (i >> 8));
  await storage.put('shared/large', [large.subarray(0, 1_000_001), large.subarray(1_000_001)]);
  assert.ok(Buffer.from(await storage.get('shared/large')).equals(large));
}

async function readsRanges(storage: CheckpointStorage): Promise<void> {
  await storage.put('a', [text('0123456789')]);
  assert.equal(read(await storage.getRange('a', 0, 3)), '012');
  assert.equal(read(await storage.getRange('a', 4, 2)), '45');
  assert.equal(read(await storage.getRange('a', 8, 100)), '89');
  assert.equal((await storage.getRange('a', 3, 0)).length, 0);
  assert.equal((await storage.getRange('a', 10, 5)).length, 0);
}

async function lists(storage: CheckpointStorage): Promise<void> {
  assert.deepEqual(await storage.list(''), []);
  for (const name of ['log/2.json', 'log/10.json', 'log-x', 'chk-1/manifest.json', 'log/1.json']) {
    await storage.put(name, [text(name)]);
  }
  const names = async (prefix: string): Promise<string[]> =>
    (await storage.list(prefix)).map(({ name }) => name);
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
  for (let round = 0; round < 5; round++) {
    const name = `log/${round}.json`;
    const contents = Array.from({ length: 8 }, (_, i) => `writer ${i}`);
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
    // One after the other: a second rejection before its turn would be nobody's.
    for (const call of [() => storage.get(name), () => storage.getRange(name, 0, 1)]) {
      await assert.rejects(call(), (error: unknown) => {
        assert.ok(error instanceof StorageNotFoundError, String(error));
        assert.equal(error.details.name, name);
        return true;
      });
    }
  }
}

async function refusesNames(storage: CheckpointStorage): Promise<void> {
  for (const name of ['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'a b', 'ä', 'a\\b']) {
    const calls = [
      () => storage.put(name, []),
      () => storage.createIfAbsent(name, text('')),
      () => storage.get(name),
    ];
    for (const call of calls) await assert.rejects(call(), StorageNameError, name);
  }
}
