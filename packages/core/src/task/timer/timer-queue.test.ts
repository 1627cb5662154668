import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Key } from '../../element/key.ts';
import type { Entry, EntryTable, SubKey } from '../../state/entry-table.ts';
import { namespaceOf, timeOf, type TimerEntry, TimerQueue } from './timer-queue.ts';

class FakeTable implements EntryTable<null> {
  readonly live = new Set<TimerEntry>();
  readonly #stored: readonly TimerEntry[];

  constructor(stored: readonly TimerEntry[] = []) {
    this.#stored = stored;
  }

  create(key: Key, keyGroup: number, sub: SubKey, value: null): Entry<null> {
    const entry = { key, keyGroup, sub, value, expiresAtMs: Number.POSITIVE_INFINITY };
    this.live.add(entry);
    return entry;
  }
  write(): void {}
  remove(entry: TimerEntry): void {
    assert.equal(this.live.delete(entry), true);
  }
  restored(accept: (entry: TimerEntry) => void): void {
    for (const entry of this.#stored) {
      this.live.add(entry);
      accept(entry);
    }
  }
}

function drain(queue: TimerQueue, limitMs: number): string[] {
  const fired: string[] = [];
  for (let timer = queue.pollDue(limitMs); timer !== null; timer = queue.pollDue(limitMs)) {
    fired.push(`${timeOf(timer)} ${String(timer.key)} ${String(namespaceOf(timer))}`);
  }
  return fired;
}

test('TimerQueue gives due timers in the order of time, once each', () => {
  const table = new FakeTable();
  const queue = new TimerQueue(table);
  for (const time of [30, 10, 20, 10, 40]) queue.register(time, 'a', 0, undefined);
  assert.deepEqual(drain(queue, 30), ['10 a undefined', '20 a undefined', '30 a undefined']);
  assert.equal(queue.earliestMs(), 40);
  assert.equal(table.live.size, 1);
});

test('TimerQueue tells apart keys of different types, and namespaces', () => {
  const queue = new TimerQueue(new FakeTable());
  const keys: Key[] = [1, '1', 1n, true, 'true', ['1'], [1], [['1']], ['a', 'b'], ['ab', '']];
  for (const key of keys) assert.equal(queue.register(5, key, 0, undefined), true);
  for (const key of keys) assert.equal(queue.register(5, key, 0, undefined), false);
  const namespaces: SubKey[] = [0, '0', [0], [1, 2], 'x'];
  for (const ns of namespaces) assert.equal(queue.register(5, 1, 0, ns), true);
  for (const ns of namespaces) assert.equal(queue.register(5, 1, 0, ns), false);
  queue.delete(5, 1, [1, 2]);
  queue.delete(5, ['a', 'b'], undefined);
  queue.delete(6, 1, undefined);
  assert.equal(queue.size, keys.length + namespaces.length - 2);
  assert.equal(drain(queue, 5).length, queue.size + keys.length + namespaces.length - 2);
});

test('TimerQueue takes in restored timers with their namespaces', () => {
  const before = new FakeTable();
  const first = new TimerQueue(before);
  first.register(7, 'a', 0, undefined);
  first.register(3, 'b', 0, [1, 'w']);
  first.register(Number.POSITIVE_INFINITY, 'c', 0, 9);
  const queue = new TimerQueue(new FakeTable([...before.live]));
  assert.equal(queue.register(3, 'b', 0, [1, 'w']), false);
  assert.deepEqual(drain(queue, 100), ['3 b 1,w', '7 a undefined']);
  assert.deepEqual(drain(queue, Number.POSITIVE_INFINITY), ['Infinity c 9']);
});

test('TimerQueue does not grow when timers are deleted and registered anew', () => {
  const table = new FakeTable();
  const queue = new TimerQueue(table);
  for (let i = 0; i < 200_000; i++) {
    queue.delete(i + 999, 'a', undefined);
    queue.register(i + 1_000, 'a', 0, undefined);
  }
  assert.equal(queue.size, 1);
  assert.equal(queue.earliestMs(), 200_999);
});

// Goal: queue and index agree with a plain model. Method: random registrations, deletions and
// advances over few times, keys and namespaces, so that every operation often hits a live timer.
test('TimerQueue behaves like a sorted set', () => {
  let seed = 12_345;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 50; round++) {
    const table = new FakeTable();
    const queue = new TimerQueue(table);
    const model = new Map<string, number>();
    const keys = 1 + random(30);
    for (let step = 0; step < 1_000; step++) {
      const time = random(200) * 2 ** random(34);
      const key = random(2) === 0 ? random(keys) : `k${random(keys)}`;
      const namespace = random(3) === 0 ? random(3) : undefined;
      const id = `${time} ${String(key)} ${String(namespace)}`;
      const action = random(20);
      if (action < 11) {
        assert.equal(queue.register(time, key, 0, namespace), !model.has(id));
        model.set(id, time);
      } else if (action < 19) {
        const live = [...model.keys()];
        const victim = live.length > 0 && random(2) === 0 ? live[random(live.length)]! : id;
        const [t, k, n] = victim.split(' ') as [string, string, string];
        queue.delete(
          Number(t),
          k.startsWith('k') ? k : Number(k),
          n === 'undefined' ? undefined : Number(n),
        );
        model.delete(victim);
      } else {
        const limit = random(200) * 2 ** random(34);
        const due = [...model].filter(([, at]) => at <= limit);
        const fired = drain(queue, limit);
        assert.deepEqual([...fired].sort(), due.map(([text]) => text).sort());
        const times = fired.map((text) => Number(text.split(' ')[0]));
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
        for (const [text] of due) model.delete(text);
      }
      assert.equal(queue.size, model.size);
      assert.equal(table.live.size, model.size);
    }
    assert.equal(queue.earliestMs(), Math.min(Number.POSITIVE_INFINITY, ...model.values()));
  }
});
