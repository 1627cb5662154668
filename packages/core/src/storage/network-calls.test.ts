import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cancel } from '../base/environment.ts';
import {
  DEFAULT_NETWORK_POLICY,
  delayBefore,
  type NetworkCall,
  NetworkCalls,
  type NetworkPolicy,
} from './network-calls.ts';
import { probeConditionalCreate } from './probe-conditional-create.ts';
import { MemoryStorage } from './memory-storage.ts';
import {
  StorageClockSkewError,
  type StorageError,
  StoragePermissionError,
  StorageThrottledError,
  StorageUnavailableError,
  StorageUnreachableError,
} from './storage-errors.ts';

const details = { location: 'here', operation: 'put', name: 'a' } as const;
const policy: NetworkPolicy = {
  attemptCount: 4,
  firstDelayMs: 100,
  delayMsMax: 250,
  connectTimeoutMs: 1,
  idleTimeoutMs: 1_000,
  callTimeoutMs: 5_000,
  bytesPerSecondMin: 1_000,
  callCountMax: 2,
};

/** Time that jumps to the next timer as soon as nothing else is left to do. */
function world(chance = 0) {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const after = (delayMs: number, run: () => void): Cancel => {
    const timer = { atMs: nowMs + delayMs, run };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const calls = new NetworkCalls(
    {
      clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
      scheduler: { defer: (run) => void after(0, run), after },
      random: { next: () => chance, hex: () => '00' },
    },
    policy,
  );
  const until = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const noted = (): void => {
      isSettled = true;
    };
    promise.then(noted, noted);
    for (;;) {
      for (let turn = 0; turn < 30; turn++) await null;
      const next = [...timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (isSettled || next === undefined) return promise;
      timers.delete(next);
      nowMs = next.atMs;
      next.run();
    }
  };
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => void after(ms, () => resolve()));
  return { calls, until, sleep, now: () => nowMs, timers };
}

const never = new Promise<never>(() => {});

function callOf<T>(
  attempt: NetworkCall<T>['attempt'],
  more: Partial<NetworkCall<T>> = {},
): NetworkCall<T> {
  const errorOf = (error: unknown): StorageError =>
    new StorageUnavailableError(String(error), details);
  return { details, signal: undefined, isRepeatable: true, attempt, errorOf, ...more };
}

test('NetworkCalls repeats what may be repeated, with pauses that grow', async () => {
  const { calls, until, now, timers } = world();
  const at: number[] = [];
  const attempt = async (): Promise<string> => {
    at.push(now());
    if (at.length < 4) throw new Error('no');
    return 'done';
  };
  assert.equal(await until(calls.run(callOf(attempt))), 'done');
  assert.deepEqual(at, [0, 50, 150, 275]); // half of 100, 200, 250
  assert.equal(timers.size, 0);
});

test('NetworkCalls knows what must not happen twice', async () => {
  const count = async (make: () => Error, isRepeatable: boolean): Promise<number> => {
    const { calls, until } = world();
    let attempts = 0;
    const attempt = async (): Promise<never> => {
      attempts++;
      throw make();
    };
    await assert.rejects(until(calls.run(callOf(attempt, { isRepeatable }))));
    return attempts;
  };
  const cases = [
    [() => new StorageUnavailableError('', details), 4, 1],
    [() => new StorageThrottledError('', details), 4, 4],
    [() => new StorageUnreachableError('', details), 4, 4],
    [() => new StorageClockSkewError('', details), 2, 2],
    [() => new StoragePermissionError('', details), 1, 1],
  ] as const;
  for (const [make, repeatable, once] of cases) {
    assert.equal(await count(make, true), repeatable);
    assert.equal(await count(make, false), once);
  }
});

test('NetworkCalls ends a call that hangs, however deaf its transport is', async () => {
  const { calls, until, now, timers } = world();
  const signals: AbortSignal[] = [];
  const attempt = ({ signal }: { signal: AbortSignal }): Promise<never> => {
    signals.push(signal);
    return never;
  };
  const call = until(calls.run(callOf(attempt, { sentBytes: 500 })));
  await assert.rejects(call, StorageUnavailableError);
  assert.equal(signals.length, 4);
  assert.ok(signals.every(({ aborted }) => aborted));
  assert.equal(now(), policy.callTimeoutMs + 500);
  assert.equal(timers.size, 0);
});

test('NetworkCalls lets a transfer go on that moves, and no other', async () => {
  const steady = world();
  const attempt =
    (gapMs: number, byteCount: number, steps: number, sleep: (ms: number) => Promise<void>) =>
    async ({ moved }: { moved(byteCount: number): void }): Promise<string> => {
      for (let step = 0; step < steps; step++) {
        await sleep(gapMs);
        moved(byteCount);
      }
      return 'all of it';
    };
  // 100 s in all, 20 times the time of a call, but always fast enough.
  const fast = steady.calls.run(callOf(attempt(500, 500, 200, steady.sleep)));
  assert.equal(await steady.until(fast), 'all of it');
  const drip = world();
  const slow = drip.calls.run(callOf(attempt(500, 1, 200, drip.sleep), { isRepeatable: false }));
  await assert.rejects(drip.until(slow), /not done in time/);
  assert.ok(drip.now() < 5_500);
});

test('NetworkCalls gives up at once when told to, in an attempt and in a pause', async () => {
  const reason = new Error('enough');
  for (const atMs of [30, 70]) {
    const { calls, until, sleep, now, timers } = world();
    const controller = new AbortController();
    let attempts = 0;
    const attempt = async (): Promise<never> => {
      attempts++;
      if (attempts === 1) throw new Error('first');
      return never;
    };
    const call = calls.run(callOf(attempt, { signal: controller.signal }));
    void sleep(atMs).then(() => controller.abort(reason));
    await assert.rejects(until(call), (error) => error === reason);
    assert.equal(attempts, atMs < 50 ? 1 : 2);
    assert.equal(now(), atMs);
    assert.equal(timers.size, 0);
  }
});

test('NetworkCalls lets no more calls run at once than it may', async () => {
  const { calls, until, sleep } = world();
  let underWay = 0;
  let most = 0;
  const attempt = async (): Promise<void> => {
    most = Math.max(most, ++underWay);
    await sleep(100);
    underWay--;
  };
  await until(Promise.all(Array.from({ length: 9 }, () => calls.run(callOf(attempt)))));
  assert.equal(most, policy.callCountMax);
  // Who gives up while it waits for its turn does not take a place.
  const controller = new AbortController();
  const reason = new Error('enough');
  const waiting = Array.from({ length: 3 }, () => calls.run(callOf(attempt)));
  const third = calls.run(callOf(attempt, { signal: controller.signal }));
  controller.abort(reason);
  await assert.rejects(third, (error) => error === reason);
  await until(Promise.all(waiting));
  await until(Promise.all([calls.run(callOf(attempt)), calls.run(callOf(attempt))]));
  assert.equal(most, policy.callCountMax);
});

test('delayBefore differs by chance, between half and the whole', () => {
  for (const [repetition, wholeMs] of [
    [0, 100],
    [1, 200],
    [2, 400],
    [5, 3_000],
    [1_000, 3_000],
  ] as const) {
    assert.equal(delayBefore(repetition, 0, DEFAULT_NETWORK_POLICY), wholeMs / 2);
    assert.ok(delayBefore(repetition, 0.999, DEFAULT_NETWORK_POLICY) > wholeMs * 0.99);
    assert.ok(delayBefore(repetition, 0.999, DEFAULT_NETWORK_POLICY) < wholeMs);
  }
});

test('probeConditionalCreate tells stores apart and leaves nothing', async () => {
  let hexes = 0;
  const random = { next: () => 0, hex: () => `${++hexes}` };
  const objects = new Map<string, Uint8Array>();
  const storage = new MemoryStorage(objects);
  assert.equal(await probeConditionalCreate(storage, random), true);
  const ignorant = Object.assign(new MemoryStorage(objects), {
    createIfAbsent: async (name: string, data: Uint8Array) => {
      await storage.put(name, [data]);
      return 'created' as const;
    },
  });
  assert.equal(await probeConditionalCreate(ignorant, random), false);
  const liar = Object.assign(new MemoryStorage(objects), {
    createIfAbsent: async (name: string, data: Uint8Array) => {
      const outcome = objects.has(name) ? 'exists' : 'created';
      await storage.put(name, [data]);
      return outcome;
    },
  });
  assert.equal(await probeConditionalCreate(liar, random), false);
  let failures = 2;
  const shaky = Object.assign(new MemoryStorage(objects), {
    createIfAbsent: async (name: string, data: Uint8Array) => {
      const outcome = await storage.createIfAbsent(name, data);
      if (failures-- > 0) throw new StorageUnavailableError('lost', details);
      return outcome;
    },
  });
  assert.equal(await probeConditionalCreate(shaky, random), true);
  assert.equal(objects.size, 0);
});
