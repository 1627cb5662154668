import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Key } from '../../element/key.ts';
import type { Entry, EntryTable, EntryTableSpec, SubKey } from '../../state/entry-table.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import { EndlessTimersError, InvalidTimerError, openTimerService } from './open-timer-service.ts';
import type { TimerService } from './timer-service.ts';

type Stored = Map<string, Set<Entry<null>>>;

// Only what the timer service touches of a store.
class FakeStore {
  readonly tables: Stored = new Map();
  readonly #restored: Stored;
  #key: Key = 'none';

  constructor(restored: Stored = new Map()) {
    this.#restored = restored;
  }
  setCurrentKey(key: Key): void {
    this.#key = key;
  }
  currentKey(): Key {
    return this.#key;
  }
  currentKeyGroup(): number {
    return 0;
  }
  table(spec: EntryTableSpec<null>): EntryTable<null> {
    const live = new Set(this.#restored.get(spec.name));
    this.tables.set(spec.name, live);
    return {
      create: (key: Key, keyGroup: number, sub: SubKey, value: null) => {
        const entry = { key, keyGroup, sub, value, expiresAtMs: Number.POSITIVE_INFINITY };
        live.add(entry);
        return entry;
      },
      write: () => {},
      remove: (entry) => live.delete(entry),
      restored: (accept) => live.forEach((entry) => void accept(entry)),
    };
  }
}

interface Setup {
  readonly service: TimerService;
  readonly store: FakeStore;
  readonly requests: number[];
  advance(watermarkMs: number): string[];
}

function open(restored?: Stored): Setup {
  const store = new FakeStore(restored);
  const requests: number[] = [];
  const service = openTimerService(store as unknown as KeyedStateStore, 'timers', {
    requestProcessingTime: (timeMs) => void requests.push(timeMs),
  });
  const advance = (watermarkMs: number): string[] => {
    const fired: string[] = [];
    const fire = (timeMs: number, key: Key) => void fired.push(`${String(key)}@${timeMs}`);
    assert.equal(
      service.advanceEventTime(watermarkMs, fire, () => false),
      true,
    );
    return fired;
  };
  return { service, store, requests, advance };
}

test('openTimerService fires with the key of the timer as current key', () => {
  const { service, store } = open();
  store.setCurrentKey('a');
  service.registerEventTime(10);
  store.setCurrentKey('b');
  service.registerEventTime(5);
  const seen: unknown[] = [];
  service.advanceEventTime(
    10,
    (time, key) => seen.push([time, key, store.currentKey()]),
    () => false,
  );
  assert.deepEqual(seen, [
    [5, 'b', 'b'],
    [10, 'a', 'a'],
  ]);
});

test('openTimerService keeps a timer behind the watermark for the next advance', () => {
  const { service, advance } = open();
  advance(100);
  service.registerEventTime(50);
  assert.deepEqual(advance(101), ['none@50']);
});

test('openTimerService fires a timer that a callback registers if it is due', () => {
  const { service } = open();
  service.registerEventTime(10);
  const fired: number[] = [];
  const fire = (timeMs: number) => {
    fired.push(timeMs);
    if (fired.length === 1)
      service.registerEventTime(10); // M2: the same timer again
    else service.registerEventTime(timeMs + 10);
  };
  service.advanceEventTime(35, fire, () => false);
  assert.deepEqual(fired, [10, 10, 20, 30]);
  assert.deepEqual(service.counts(), { eventTime: 1, processingTime: 0 });
});

test('openTimerService shows the new watermark in an advance, -Infinity before any', () => {
  const { service } = open();
  assert.equal(service.watermarkMs, Number.NEGATIVE_INFINITY);
  service.registerEventTime(10);
  service.advanceEventTime(
    99,
    () => assert.equal(service.watermarkMs, 99),
    () => false,
  );
});

test('openTimerService stops between two timers and goes on, firing at least one per call', () => {
  const { service } = open();
  for (let time = 1; time <= 5; time++) service.registerEventTime(time);
  const fired: number[] = [];
  const advance = () =>
    service.advanceEventTime(
      4,
      (time) => fired.push(time),
      () => true,
    );
  assert.deepEqual([advance(), advance(), advance()], [false, false, false]);
  assert.deepEqual(fired, [1, 2, 3]);
  assert.equal(advance(), true); // nothing that is due is left
  assert.deepEqual(fired, [1, 2, 3, 4]);
});

test('openTimerService asks for the earliest wake-up only when it changes', () => {
  const { service, requests } = open();
  for (const time of [50, 70, 30, 30, 40]) service.registerProcessingTime(time);
  assert.deepEqual(requests, [50, 30]);
  const fired: number[] = [];
  service.advanceProcessingTime(
    45,
    (time) => fired.push(time),
    () => false,
  );
  assert.deepEqual(fired, [30, 40]);
  assert.deepEqual(requests, [50, 30, 50]);
});

test('openTimerService asks again after a wake-up that came for nothing', () => {
  const { service, requests } = open();
  service.registerProcessingTime(50);
  service.advanceProcessingTime(
    20,
    () => assert.fail('nothing is due'),
    () => false,
  );
  assert.deepEqual(requests, [50, 50]);
});

test('openTimerService restores timers and asks for the wake-up of the earliest', () => {
  const before = open();
  before.store.setCurrentKey('a');
  before.service.registerEventTime(10);
  before.service.registerProcessingTime(7);
  before.service.registerProcessingTime(5);
  before.service.deleteProcessingTime(5);
  before.advance(9);
  const { service, requests, advance } = open(before.store.tables);
  assert.equal(service.watermarkMs, Number.NEGATIVE_INFINITY);
  assert.deepEqual(requests, [7]);
  assert.deepEqual(advance(10), ['a@10']);
});

test('openTimerService treats -0 and 0 as one timer and refuses what is not a number', () => {
  const { service, advance } = open();
  service.registerEventTime(-0);
  service.registerEventTime(0);
  assert.throws(() => service.registerEventTime(Number.NaN), InvalidTimerError);
  assert.throws(() => service.registerProcessingTime('5' as unknown as number), InvalidTimerError);
  assert.throws(() => service.deleteEventTime(undefined as unknown as number), InvalidTimerError);
  assert.deepEqual(advance(0), ['none@0']);
});

test('openTimerService fires a timer at Infinity only at the end of input', () => {
  const { service, advance } = open();
  service.registerEventTime(Number.POSITIVE_INFINITY);
  assert.deepEqual(advance(Number.MAX_VALUE), []);
  assert.deepEqual(advance(Number.POSITIVE_INFINITY), ['none@Infinity']);
});

test('openTimerService stops timers that re-arm themselves for ever at the end of input', () => {
  const { service } = open();
  service.registerEventTime(1);
  const rearm = (timeMs: number) => service.registerEventTime(timeMs + 1);
  const end = () => service.advanceEventTime(Number.POSITIVE_INFINITY, rearm, () => false);
  assert.throws(end, EndlessTimersError);
});

test('openTimerService lets a long chain of timers end by itself at the end of input', () => {
  const { service } = open();
  service.registerEventTime(1);
  let fired = 0;
  const fire = (timeMs: number) => {
    if (++fired < 500_000) service.registerEventTime(timeMs + 1);
  };
  while (!service.advanceEventTime(Number.POSITIVE_INFINITY, fire, () => fired % 1_000 === 0));
  assert.equal(fired, 500_000);
});
