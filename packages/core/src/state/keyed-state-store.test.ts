import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnserializableValueError } from '../codec/codec-errors.ts';
import { InvalidKeyError, type Key } from '../element/key.ts';
import { keyGroupOf } from '../element/key-group.ts';
import { aggregating, list, map, reducing, type TtlOptions, value } from './descriptors.ts';
import type { KeyedStateStore } from './keyed-state-store.ts';
import type { KeyedStateSnapshot } from './snapshot.ts';
import {
  DuplicateStateError,
  NoCurrentKeyError,
  StateIncompatibleError,
  StateStoreClosedError,
} from './state-errors.ts';
import { StateTestBed } from './state-test-bed.ts';

const options = { keyGroupRange: { first: 0, last: 127 }, maxParallelism: 128 };

function save(bed: StateTestBed, store: KeyedStateStore): Promise<KeyedStateSnapshot> {
  return bed.finish(store.persist(store.freeze(), 'checkpoint'));
}

const sum = (a: number, b: number): number => a + b;
const mean = {
  create: () => ({ sum: 0, count: 0 }),
  add(acc: { sum: number; count: number }, x: number) {
    acc.sum += x;
    acc.count++;
    return acc;
  },
  result: (acc: { sum: number; count: number }) => Math.floor(acc.sum / acc.count),
};

test('states are per key, begin empty and end empty', async () => {
  const store = await new StateTestBed().open(options);
  const states = store.states({
    count: value(0),
    maybe: value<string>(),
    items: list<number>(),
    byName: map<string, number>(),
    total: reducing(sum),
    mean: aggregating(mean),
  });
  store.setCurrentKey('a');
  assert.deepEqual(
    [states.count.get(), states.maybe.get(), states.items.get(), states.total.get()],
    [0, undefined, [], undefined],
  );
  assert.equal(states.byName.isEmpty(), true);
  assert.ok(store.isEmpty());
  states.count.set(1);
  states.maybe.set('x');
  states.items.addAll([3, 1, 2, 2]);
  states.byName.set('x', 1);
  states.byName.set('y', 2);
  states.byName.set('x', 3);
  states.total.add(5);
  states.total.add(7);
  states.mean.add(1);
  states.mean.add(4);
  store.setCurrentKey('b');
  assert.equal(states.count.get(), 0);
  assert.deepEqual(states.items.get(), []);
  store.setCurrentKey('a');
  assert.deepEqual(states.items.get(), [3, 1, 2, 2]);
  states.items.update(states.items.get().slice(2));
  states.items.add(8);
  assert.deepEqual(states.items.get(), [2, 2, 8]);
  assert.deepEqual(
    [...states.byName.entries()],
    [
      ['x', 3],
      ['y', 2],
    ],
  );
  assert.deepEqual([...states.byName.keys()], ['x', 'y']);
  assert.deepEqual([...states.byName.values()], [3, 2]);
  states.byName.delete('q');
  assert.ok(states.byName.has('x') && !states.byName.has('q'));
  assert.equal(states.total.get(), 12);
  assert.equal(states.mean.get(), 2);
  for (const state of [states.count, states.items, states.total, states.mean]) state.clear();
  states.maybe.set(undefined);
  states.byName.delete('x');
  assert.ok(!store.isEmpty());
  states.byName.delete('y');
  assert.ok(states.byName.isEmpty());
  assert.ok(store.isEmpty());
});

test('a map may be changed while it is iterated, and an iteration stays with its key', async () => {
  const store = await new StateTestBed().open(options);
  const { byName } = store.states({ byName: map<string, number>() });
  store.setCurrentKey('a');
  for (const name of ['x', 'y', 'z']) byName.set(name, 1);
  for (const [name, n] of byName.entries()) {
    if (name === 'y') byName.delete(name);
    else byName.set(name, n + 1);
  }
  const entries = byName.entries();
  store.setCurrentKey('b');
  assert.deepEqual(
    [...entries],
    [
      ['x', 2],
      ['z', 2],
    ],
  );
  assert.equal(store.currentKey(), 'b');
});

test('touching state without a key fails, and so does what cannot be a key', async () => {
  const store = await new StateTestBed().open(options);
  const { count, items } = store.states({ count: value(0), items: list<number>() });
  for (const touch of [
    () => count.get(),
    () => count.set(1),
    () => items.add(1),
    () => store.currentKey(),
    () => store.currentKeyGroup(),
  ]) {
    assert.throws(touch, NoCurrentKeyError);
  }
  store.setCurrentKey('a');
  assert.equal(store.currentKeyGroup(), keyGroupOf('a', 128));
  store.clearCurrentKey();
  assert.throws(() => count.get(), NoCurrentKeyError);
  assert.throws(() => store.setCurrentKey(Number.NaN), InvalidKeyError);
});

test('forEachKey visits every key with the state, also when the visit changes it', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { count, items } = store.states({ count: value(0), items: list<number>() });
  const keys: Key[] = ['a', 1, 1n, true, ['a', 1]];
  for (const key of keys) {
    store.setCurrentKey(key);
    count.set(1);
  }
  store.setCurrentKey('other');
  items.add(1);
  const visited: Key[] = [];
  store.forEachKey('count', (key) => {
    assert.equal(store.currentKey(), key);
    visited.push(key);
    count.clear();
  });
  assert.deepEqual(visited, keys);
  store.forEachKey('count', () => assert.fail('nothing is left'));
});

function ttlStates(ttl: TtlOptions) {
  return {
    one: value<number | undefined>(undefined, { ttl }),
    items: list<number>({ ttl }),
    byName: map<string, number>({ ttl }),
    total: reducing(sum, { ttl }),
    mean: aggregating(mean, { ttl }),
  };
}

test('with time to live an entry expires at stamp + ttl, reads do not prolong it', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { one, items, byName, total, mean: average } = store.states(ttlStates({ ttlMs: 100 }));
  store.setCurrentKey('a');
  one.set(1);
  items.add(1);
  byName.set('x', 1);
  total.add(5);
  average.add(10);
  bed.nowMs += 50;
  items.add(2);
  byName.set('y', 1);
  bed.nowMs += 49;
  assert.deepEqual([one.get(), total.get(), average.get()], [1, 5, 10]);
  bed.nowMs += 1;
  assert.deepEqual([one.get(), total.get(), average.get()], [undefined, undefined, undefined]);
  assert.deepEqual(items.get(), [2], 'list elements expire by themselves');
  assert.deepEqual([...byName.entries()], [['y', 1]]);
  assert.equal(byName.has('x'), false);
  total.add(1);
  average.add(2);
  assert.deepEqual([total.get(), average.get()], [1, 2], 'what has expired does not count');
  bed.nowMs += 50;
  assert.equal(byName.isEmpty(), false, 'as on Flink: expired but not touched');
  assert.deepEqual(items.get(), []);
  assert.equal(byName.get('y'), undefined);
  assert.equal(byName.isEmpty(), true);
});

test('with onReadAndWrite every read prolongs what is still alive', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const ttl = { ttlMs: 100, update: 'onReadAndWrite' } as const;
  const { one, items, byName } = store.states(ttlStates(ttl));
  store.setCurrentKey('a');
  one.set(1);
  items.add(1);
  byName.set('x', 1);
  for (let i = 0; i < 4; i++) {
    bed.nowMs += 99;
    assert.equal(one.get(), 1);
    assert.deepEqual(items.get(), [1]);
    const reads = [() => byName.get('x'), () => byName.has('x'), () => [...byName.entries()]];
    reads[i % 3]!();
  }
  // The stamp that a read sets is in the next snapshot.
  const { runs } = await save(bed, store);
  bed.nowMs += 99;
  const restored = await bed.open(options, runs);
  const after = restored.states(ttlStates(ttl));
  restored.setCurrentKey('a');
  assert.deepEqual([after.one.get(), after.items.get(), after.byName.get('x')], [1, [1], 1]);
  bed.nowMs += 100;
  assert.deepEqual(
    [after.one.get(), after.items.get(), after.byName.has('x')],
    [undefined, [], false],
  );
});

test('an expired entry that may be shown is shown once', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const ttl = { ttlMs: 100, visibility: 'returnExpiredIfNotCleanedUp' } as const;
  const { one, items, byName, total } = store.states(ttlStates(ttl));
  store.setCurrentKey('a');
  one.set(1);
  items.add(1);
  byName.set('x', 1);
  total.add(5);
  bed.nowMs += 150;
  assert.deepEqual([one.get(), items.get(), byName.get('x')], [1, [1], 1]);
  assert.deepEqual([one.get(), items.get(), byName.get('x')], [undefined, [], undefined]);
  total.add(2);
  assert.equal(total.get(), 7, 'as on Flink: a relaxed reduction goes on');
});

test('what has expired is not written, and an older run does not bring it back', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { one } = store.states(ttlStates({ ttlMs: 100 }));
  store.setCurrentKey('old');
  one.set(1);
  await save(bed, store);
  store.setCurrentKey('short');
  one.set(2);
  bed.nowMs += 100;
  const { runs } = await save(bed, store);
  assert.equal(runs.length, 1, 'nothing but an expired entry makes no run');
  const restored = await bed.open(options, runs);
  restored.states(ttlStates({ ttlMs: 100 }));
  assert.ok(restored.isEmpty());
});

test('expired entries that nobody touches do not fill the heap', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { one, items, byName } = store.states(ttlStates({ ttlMs: 100 }));
  for (let i = 0; i < 20_000; i++) {
    store.setCurrentKey(i);
    one.set(i);
    items.add(i);
    byName.set('x', i);
    store.setCurrentKey('always the same');
    byName.set(`${i}`, i);
    bed.nowMs += 1;
    if (i % 5_000 !== 2_500) continue;
    await save(bed, store);
    await bed.settle();
  }
  for (const name of ['one', 'items', 'byName']) {
    let live = 0;
    store.forEachKey(name, () => live++);
    assert.ok(live > 90 && live < 1_000, `${live} keys hold ${name}`);
  }
  store.setCurrentKey('always the same');
  assert.equal([...byName.keys()].length, 99);
});

test('an older version is migrated once and written again; none given is an error', async () => {
  const bed = new StateTestBed();
  const old = await bed.open(options);
  const before = old.states({ box: value<unknown>(null), items: list<number>() });
  old.setCurrentKey('a');
  before.box.set({ cents: 150 });
  before.items.addAll([1, 2]);
  const first = await save(bed, old);
  const migrated: unknown[] = [];
  const migrate = (stored: unknown, version: number): { euros: number } => {
    migrated.push([stored, version]);
    return { euros: (stored as { cents: number }).cents / 100 };
  };
  const next = {
    box: value({ euros: 0 }, { version: 2, migrate }),
    items: list<string>({ version: 3, migrate: (x, v) => `${x}@${v}` }),
  };
  const store = await bed.open(options, first);
  const states = store.states(next);
  store.setCurrentKey('a');
  assert.deepEqual(states.box.get(), { euros: 1.5 });
  assert.deepEqual(states.items.get(), ['1@1', '2@1']);
  assert.deepEqual(migrated, [[{ cents: 150 }, 1]]);
  const second = await save(bed, store);
  assert.deepEqual(
    second.tables.map(({ name, version }) => [name, version]),
    [
      ['box', 2],
      ['items', 3],
    ],
  );
  const again = await bed.open(options, second);
  const restored = again.states(next);
  again.setCurrentKey('a');
  assert.deepEqual(restored.items.get(), ['1@1', '2@1']);
  assert.equal(migrated.length, 1);

  const refuse = async (states: Parameters<KeyedStateStore['states']>[0], of = first) => {
    const opened = await bed.open(options, of);
    assert.throws(() => opened.states(states), StateIncompatibleError);
  };
  await refuse({ box: value(1, { version: 2 }) });
  await refuse({ box: value(1) }, second);
  await refuse({ box: list() });
  const failing = await bed.open(options, first);
  const { box } = failing.states({
    box: value(1, { version: 2, migrate: () => assert.fail('no') }),
  });
  failing.setCurrentKey('a');
  assert.throws(() => box.get(), StateIncompatibleError);
});

test('a state that the job has dropped does not come back under its name', async () => {
  const bed = new StateTestBed();
  const first = await bed.open(options);
  first.setCurrentKey('a');
  const { kept, dropped } = first.states({ kept: value(0), dropped: value(0) });
  kept.set(1);
  dropped.set(2);
  const one = await save(bed, first);
  const second = await bed.open(options, one);
  second.states({ kept: value(0) });
  const two = await save(bed, second);
  const third = await bed.open(options, two);
  const states = third.states({ kept: value(0), dropped: value(0) });
  third.setCurrentKey('a');
  assert.deepEqual([states.kept.get(), states.dropped.get()], [1, 0]);
  states.dropped.set(3);
  const fourth = await bed.open(options, await save(bed, third));
  const after = fourth.states({ kept: value(0), dropped: value(0) });
  fourth.setCurrentKey('a');
  assert.deepEqual([after.kept.get(), after.dropped.get()], [1, 3]);
});

test('two states of one name are refused, also a state and a table', async () => {
  const store = await new StateTestBed().open(options);
  store.states({ x: value(0) });
  assert.throws(() => store.states({ x: list() }), DuplicateStateError);
  const spec = { name: 'x', kind: 'timer', order: 'sub' } as const;
  assert.throws(() => store.table(spec), DuplicateStateError);
});

test('an append to a long list writes only the element', async () => {
  const bed = new StateTestBed();
  const store = await bed.open({ ...options, compression: 'none', compaction: () => 0 });
  const { items } = store.states({ items: list<string>() });
  store.setCurrentKey('a');
  for (let i = 0; i < 1_000; i++) items.add(`element ${i}`);
  await save(bed, store);
  items.add('one more');
  const { runs } = await save(bed, store);
  assert.deepEqual(
    runs.map(({ entries }) => entries),
    [1, 1_000],
  );
});

test('what is created and removed between two freezes is never written and not kept', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { count } = store.states({ count: value(0) });
  const table = store.table<number>({ name: 'windows', kind: 'window', order: 'sub' });
  for (let i = 0; i < 20_000; i++) {
    store.setCurrentKey(i);
    count.set(i);
    const entry = table.create(i, store.currentKeyGroup(), i, i);
    count.clear();
    table.remove(entry);
  }
  assert.ok(store.isEmpty());
  const { runs } = await save(bed, store);
  assert.deepEqual(runs, []);
});

test('freezing values makes a change in place fail, also of restored ones', async () => {
  const bed = new StateTestBed();
  const strict = { ...options, freezeValues: true };
  const states = { box: value<{ inner: { n: number } } | undefined>(), bag: list<number[]>() };
  const store = await bed.open(strict);
  const { box, bag } = store.states(states);
  store.setCurrentKey('a');
  box.set({ inner: { n: 1 } });
  bag.add([1]);
  const change = (shown: unknown): void => {
    (shown as { inner: { n: number } }).inner.n++;
  };
  assert.throws(() => change(box.get()), TypeError);
  const restored = await bed.open(strict, (await save(bed, store)).runs);
  const again = restored.states(states);
  restored.setCurrentKey('a');
  assert.throws(() => change(again.box.get()), TypeError);
  assert.throws(() => (again.bag.get()[0] as number[]).push(2), TypeError);
});

test('freeze encodes nothing, and encoding happens in slices between turns', async () => {
  const bed = new StateTestBed();
  const store = await bed.open({ ...options, tuning: { sliceEntries: 10 } });
  const { count } = store.states({ count: value<unknown>(0) });
  let encoded = 0;
  for (let i = 0; i < 100; i++) {
    store.setCurrentKey(i);
    count.set({
      get n() {
        encoded++;
        return i;
      },
    });
  }
  encoded = 0; // new values are measured
  const persist = store.persist(store.freeze(), 'checkpoint');
  assert.equal(encoded, 0);
  await bed.step();
  assert.ok(encoded > 0 && encoded < 50, `${encoded} in the first slice`);
  await bed.finish(persist);
  assert.equal(encoded, 100);
});

test('a value that cannot be stored fails the snapshot and names the path', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { order } = store.states({ order: value<unknown>(0) });
  store.setCurrentKey('a');
  order.set({ customer: { greet: () => 1 } });
  await assert.rejects(save(bed, store), (error: unknown) => {
    assert.ok(error instanceof UnserializableValueError);
    assert.equal(error.details.path, 'order.customer.greet');
    return true;
  });
  // It belongs to a frozen snapshot, which cannot do without it: nobody may replace it any more.
  assert.throws(() => order.set(1), UnserializableValueError);
});

test('a failed write loses nothing: the next snapshot covers it', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { count } = store.states({ count: value(0) });
  store.setCurrentKey('a');
  count.set(1);
  bed.failingWrites = 1;
  const frozen = store.freeze();
  await assert.rejects(bed.finish(store.persist(frozen, 'checkpoint')), /storage is away/);
  store.discard(frozen);
  store.setCurrentKey('b');
  count.set(2);
  const { runs } = await save(bed, store);
  assert.equal(runs.length, 2);
  const restored = await bed.open(options, runs);
  const states = restored.states({ count: value(0) });
  restored.setCurrentKey('a');
  assert.equal(states.count.get(), 1);
});

test('close rejects what is pending', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { count } = store.states({ count: value(0) });
  store.setCurrentKey('a');
  count.set(1);
  const persist = store.persist(store.freeze(), 'checkpoint');
  await bed.step();
  store.close();
  await assert.rejects(persist, StateStoreClosedError);
  while (bed.pending.length > 0) await bed.step();
  await assert.rejects(store.persist(store.freeze(), 'checkpoint'), StateStoreClosedError);
});

test('compaction bounds the runs, beside the snapshots', async () => {
  const bed = new StateTestBed();
  const store = await bed.open(options);
  const { count } = store.states({ count: value(0) });
  let last: KeyedStateSnapshot | null = null;
  for (let i = 0; i < 40; i++) {
    store.setCurrentKey(i % 7);
    count.set(i);
    last = await save(bed, store);
    while (bed.pending.length > 0) await bed.step();
    assert.ok(last.runs.length <= 4, `${last.runs.length} runs`);
  }
  const restored = await bed.open(options, last!.runs);
  const states = restored.states({ count: value(0) });
  const seen: number[] = [];
  restored.forEachKey('count', () => seen.push(states.count.get()));
  assert.deepEqual(seen.sort(), [33, 34, 35, 36, 37, 38, 39]);
});
