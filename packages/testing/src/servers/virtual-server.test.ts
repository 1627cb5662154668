// Goal: what a server does depends on its clients' calls and its own time, and not on whether they
// sleep, die, or have a clock that jumps. Method: one server that counts, and clients of each kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { ServerFault } from './server-faults.ts';
import { type ServerClient, VirtualServer } from './virtual-server.ts';

function world(seed = 1) {
  const server = new VirtualServer({ random: new SeededRandom(`server/${seed}`) });
  const environment = new VirtualEnvironment({ seed });
  const done: string[] = [];
  const call = (client: ServerClient, label: string): Promise<number> =>
    server.call(client, {
      label,
      effect: () => done.push(label),
      errorOf: (failure) => new Error(failure),
    });
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => void environment.scheduler.after(ms, resolve));
  const run = <T>(promise: Promise<T>): Promise<T> => environment.runUntil(promise);
  return { server, environment, done, call, sleep, run };
}

test('VirtualServer does nothing in the turn of the call, and answers in a later one', async () => {
  const { environment, done, call, run } = world();
  const answer = call(environment, 'a');
  assert.deepEqual(done, []);
  assert.equal(await run(answer), 1);
});

test('VirtualServer does what a sleeper had sent; it hears of it when it wakes', async () => {
  const { environment, done, call, run } = world();
  const sleeper = environment.startProcess(2);
  let heard = false;
  void call(sleeper, 'sent').then(() => {
    heard = true;
  });
  sleeper.pause();
  await run(new Promise<void>((resolve) => void environment.scheduler.after(100, resolve)));
  await run(call(environment, 'later'));
  assert.deepEqual(done, ['sent', 'later']);
  assert.equal(heard, false);
  sleeper.resume();
  await environment.runReady();
  assert.equal(heard, true);
});

test('VirtualServer keeps its own time when the wall clock of a client jumps', async () => {
  const { server, environment, call, run } = world();
  let jumpMs = 0;
  const client: ServerClient = {
    scheduler: environment.scheduler,
    clock: {
      nowMs: () => environment.clock.nowMs() + jumpMs,
      monotonicMs: () => environment.clock.monotonicMs(),
    },
  };
  let isDue = false;
  await run(call(client, 'a'));
  server.after(1_000, () => {
    isDue = true;
  });
  jumpMs = 3_600_000;
  await run(call(client, 'b'));
  assert.equal(isDue, false);
  server.advance(1_000);
  assert.equal(isDue, true);
});

test('VirtualServer goes on in the time of the next life', async () => {
  const { server, environment, call, run, sleep } = world();
  await run(sleep(500));
  await run(call(environment, 'a'));
  environment.crash();
  let isDue = false;
  server.after(600, () => {
    isDue = true;
  });
  const next = new VirtualEnvironment({ seed: 2, startMs: environment.clock.nowMs() + 99 });
  await next.runUntil(call(next, 'b'));
  assert.equal(isDue, false);
  await next.runUntil(new Promise<void>((resolve) => void next.scheduler.after(501, resolve)));
  await next.runUntil(call(next, 'c'));
  assert.equal(isDue, true);
});

test('VirtualServer does what is due in the order of its times', async () => {
  const { server } = world();
  const done: number[] = [];
  for (const ms of [30, 10, 20, 10]) server.after(ms, () => done.push(ms));
  server.after(5, () => server.after(10, () => done.push(15)));
  server.advance(5);
  server.advance(100);
  assert.deepEqual(done, [10, 10, 15, 20, 30]);
});

test('VirtualServer draws faults by their rates, and counts them', async () => {
  const { server, environment, call, run } = world();
  server.setFaults({ throttled: 0.2, lostReply: 0.1 });
  const seen: Record<string, number> = {};
  for (let i = 0; i < 1_000; i++) {
    const heard = await run(call(environment, 'a').then(() => 'ok', String));
    seen[heard] = (seen[heard] ?? 0) + 1;
  }
  const { throttled, lostReply, refused } = server.injected;
  assert.deepEqual(seen, {
    ok: 1_000 - throttled - lostReply,
    'Error: throttled': throttled,
    'Error: timeout': lostReply,
  });
  assert.ok(throttled > 150 && throttled < 250 && lostReply > 60 && lostReply < 140);
  assert.equal(refused, 0);
});

test('VirtualServer refuses everything in an outage, until it is over or off', async () => {
  const { server, environment, call, run, sleep } = world();
  const begin = (): ServerFault | undefined => {
    server.fault = () => undefined;
    return 'outage';
  };
  server.fault = begin;
  await assert.rejects(run(call(environment, 'a')), /unavailable/);
  await assert.rejects(run(call(environment, 'a')), /unavailable/);
  await run(sleep(3_000));
  await run(call(environment, 'a'));
  server.fault = begin;
  await assert.rejects(run(call(environment, 'a')), /unavailable/);
  server.setFaults();
  await run(call(environment, 'a'));
});
