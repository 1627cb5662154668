// Goal: the store behaves as the contract says without faults, and with them as real ones do.
// Method: the conformance suite of drivers; races, faults and deaths, over many seeds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CheckpointStorage,
  StorageNotFoundError,
  StoragePermissionError,
  StorageUnavailableError,
} from '@millrace/core/storage';
import { storageConformance } from '@millrace/core/storage-conformance';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { ServerFault } from './server-faults.ts';
import { VirtualObjectStore, type VirtualObjectStoreOptions } from './virtual-object-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

function newStore(
  seed: number,
  options: Partial<VirtualObjectStoreOptions> = {},
): VirtualObjectStore {
  return new VirtualObjectStore({ random: new SeededRandom(`store/${seed}`), ...options });
}

/** A store and one process; `run` steps until the promise has settled. */
function world(seed = 1, options: Partial<VirtualObjectStoreOptions> = {}) {
  const store = newStore(seed, options);
  const environment = new VirtualEnvironment({ seed });
  const storage = store.storage(environment);
  const run = <T>(promise: Promise<T>): Promise<T> => environment.runUntil(promise);
  return { store, environment, storage, run };
}

/**
 * Every call runs the simulation until it has its answer. Of several under way, also of one made
 * within another, one runs it at a time.
 */
function stepped(environment: VirtualEnvironment, inner: CheckpointStorage): CheckpointStorage {
  let running: Promise<unknown> | null = null;
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const noted = (): void => {
      isSettled = true;
    };
    const settled = promise.then(noted, noted);
    while (!isSettled) {
      if (running !== null) {
        await Promise.race([settled, running]);
        continue;
      }
      running = environment.runUntil(settled).finally(() => {
        running = null;
      });
      await running;
    }
    return promise;
  };
  const step = <T>(promise: Promise<T>): Promise<T> => {
    const answer = run(promise);
    answer.catch(() => {}); // of two calls under way the second may fail before it is looked at
    return answer;
  };
  return {
    location: inner.location,
    hasConditionalCreate: inner.hasConditionalCreate,
    put: (...args) => step(inner.put(...args)),
    putStream: (...args) => step(inner.putStream(...args)),
    createIfAbsent: (...args) => step(inner.createIfAbsent(...args)),
    get: (...args) => step(inner.get(...args)),
    getRange: (...args) => step(inner.getRange(...args)),
    list: (...args) => step(inner.list(...args)),
    delete: (...args) => step(inner.delete(...args)),
    deleteAll: (...args) => step(inner.deleteAll(...args)),
    close: () => inner.close(),
  };
}

for (const directory of ['', 'jobs/one']) {
  storageConformance(`virtual object store at "${directory}"`, () => {
    const store = newStore(1);
    const environment = new VirtualEnvironment({ seed: 1 });
    return stepped(environment, store.storage(environment, directory));
  });
}
storageConformance('virtual object store without conditional create', () => {
  const environment = new VirtualEnvironment({ seed: 1 });
  return stepped(environment, newStore(1, { hasConditionalCreate: false }).storage(environment));
});

test('VirtualObjectStore has one winner; without the condition it may have two', async () => {
  let doubles = 0;
  for (let seed = 1; seed <= 200; seed++) {
    for (const hasConditionalCreate of [true, false]) {
      const { store, environment, run } = world(seed, { hasConditionalCreate });
      const others = [environment, environment.startProcess(), environment.startProcess()];
      const outcomes = await run(
        Promise.all(others.map((one, i) => store.storage(one).createIfAbsent('a', bytes(`${i}`)))),
      );
      const winners = outcomes.filter((outcome) => outcome === 'created').length;
      if (!hasConditionalCreate) doubles += winners > 1 ? 1 : 0;
      else {
        assert.equal(winners, 1);
        assert.equal(text(store.read('a')!), String(outcomes.indexOf('created')));
      }
    }
  }
  assert.ok(doubles > 50, `only ${doubles} double wins`);
});

const FAILURES: readonly (readonly [ServerFault, RegExp, 'done' | 'not done' | 'either'])[] = [
  ['throttled', /too many requests/, 'not done'],
  ['refused', /service unavailable/, 'not done'],
  ['outage', /service unavailable/, 'not done'],
  ['lostRequest', /outcome unknown/, 'not done'],
  ['lostReply', /outcome unknown/, 'done'],
  ['late', /outcome unknown/, 'either'],
];
for (const [fault, message, effect] of FAILURES) {
  test(`VirtualObjectStore: of a call with fault "${fault}" the effect is ${effect}`, async () => {
    const seen = new Set<boolean>();
    for (let seed = 1; seed <= 20; seed++) {
      const { store, storage, run } = world(seed);
      store.server.setFaults({ [fault]: 1 });
      await assert.rejects(run(storage.put('a', [bytes('x')])), (error: unknown) => {
        assert.ok(error instanceof StorageUnavailableError);
        assert.match(error.message, message);
        assert.equal(error.retry, 'backoff');
        return true;
      });
      assert.equal(store.server.injected[fault], 1);
      seen.add(store.has('a'));
      store.server.advance(10_000); // late ones land
      assert.equal(store.has('a'), effect !== 'not done');
    }
    const expected = { done: [true], 'not done': [false], either: [false, true] }[effect];
    assert.deepEqual([...seen].sort(), expected);
  });
}

test('VirtualObjectStore takes a permission away for a while', async () => {
  const { store, storage, run, environment } = world();
  store.server.fault = ({ index }) => (index === 1 ? 'denial' : undefined);
  await assert.rejects(run(storage.list('')), StoragePermissionError);
  await assert.rejects(run(storage.put('a', [])), StoragePermissionError);
  await run(new Promise<void>((resolve) => void environment.scheduler.after(3_000, resolve)));
  await run(storage.put('a', []));
  store.server.fault = () => 'denial';
  await assert.rejects(run(storage.get('a')), StoragePermissionError);
  store.server.fault = () => undefined;
  store.server.setFaults();
  await run(storage.get('a'));
});

test('VirtualObjectStore shows an upload in parts only when it is complete', async () => {
  const content = new Uint8Array(1_000).map((_, i) => i);
  for (let index = 1; index <= 12; index++) {
    const { store, storage, run } = world(index, { partBytes: 100 });
    store.server.fault = (call) => (call.index === index ? 'refused' : undefined);
    await assert.rejects(run(storage.put('big', [content])), StorageUnavailableError);
    await assert.rejects(run(storage.get('big')), StorageNotFoundError);
    await run(storage.put('big', [content.subarray(0, 500), content.subarray(500)]));
    assert.deepEqual(await run(storage.get('big')), content);
  }
});

test('VirtualObjectStore does or drops what the dead had sent, unanswered', async () => {
  const fates = new Map<string, number>();
  for (let seed = 1; seed <= 300; seed++) {
    const { store, environment, storage } = world(seed);
    let answered = false;
    const answer = (): void => {
      answered = true;
    };
    storage.put('a', [bytes('x')]).then(answer, answer);
    environment.crash();
    const next = new VirtualEnvironment({ seed, startMs: environment.clock.nowMs() + 100 });
    const after = store.storage(next);
    const atOnce = (await next.runUntil(after.list(''))).length;
    store.server.advance(60_000);
    const atLast = store.list('').length;
    const fate = `${atOnce} ${atLast}`;
    fates.set(fate, (fates.get(fate) ?? 0) + 1);
    assert.equal(answered, false);
  }
  assert.deepEqual([...fates.keys()].sort(), ['0 0', '0 1', '1 1']);
});

test('VirtualObjectStore flips a bit at rest, or in what is read, only when asked', async () => {
  const { store, storage, run } = world();
  await run(storage.put('a', [bytes('abc')]));
  store.rot('a', 1, 1);
  assert.equal(text(await run(storage.get('a'))), 'a`c');
  store.rotOnRead = 1;
  assert.notEqual(text(await run(storage.get('a'))), 'a`c');
  store.rotOnRead = 0;
  assert.equal(text(await run(storage.get('a'))), 'a`c');
});

test('VirtualObjectStore notices a name that is put twice with other bytes', async () => {
  const { store, storage, run } = world();
  await run(storage.put('a', [bytes('1')]));
  await run(storage.put('a', [bytes('1')]));
  assert.deepEqual(store.overwritten, []);
  await run(storage.put('a', [bytes('2')]));
  assert.deepEqual(store.overwritten, ['a']);
});

test('VirtualObjectStore replays a seed bit for bit', async () => {
  const history = async (): Promise<string> => {
    const { store, storage, run, environment } = world(7);
    store.server.setFaults({ throttled: 0.1, lostReply: 0.1, late: 0.1, slow: 0.2, outage: 0.02 });
    const calls = Array.from({ length: 60 }, (_, i) =>
      storage.createIfAbsent(`n${i % 20}`, bytes(String(i))).catch(() => 'failed'),
    );
    return `${await run(Promise.all(calls))} ${environment.trace.digest}`;
  };
  assert.equal(await history(), await history());
});
