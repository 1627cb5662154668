// Goal: transactions keep what Kafka's keep: readers see committed ones only, whole and in order;
// zombies are fenced; what a commit did can be found out. Method: single cases, then random
// producers that die, time out and come back, against what the coordinator says became of each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { BrokerClient } from './broker-client.ts';
import {
  BrokerUnavailableError,
  ProducerFencedError,
  TransactionStateError,
} from './broker-errors.ts';
import { isTransient, retryCall } from './retry-call.ts';
import type { ProducerIdentity } from './transaction-coordinator.ts';
import { VirtualBroker, type VirtualBrokerOptions } from './virtual-broker.ts';

const TIMEOUT_MS = 60_000;

function world(seed = 1, options: Partial<VirtualBrokerOptions> = {}) {
  const random = new SeededRandom(`broker/${seed}`);
  const broker = new VirtualBroker({ random, topics: { out: 2 }, markerDelayMs: 0, ...options });
  const environment = new VirtualEnvironment({ seed });
  const client = broker.connect(environment);
  const run = <T>(promise: Promise<T>): Promise<T> => environment.runUntil(promise);
  const send = (identity: ProducerIdentity, value: unknown, firstSequence = 0, partition = 0) =>
    run(
      client.produce(identity, {
        topic: 'out',
        partition,
        firstSequence,
        records: [{ value, timestampMs: 1 }],
      }),
    );
  const init = (id: string, timeoutMs = TIMEOUT_MS) => run(client.initProducer(id, timeoutMs));
  const end = (identity: ProducerIdentity, result: 'commit' | 'abort') =>
    run(client.endTransaction(identity, result));
  return { broker, environment, client, run, send, init, end };
}

test('VirtualBroker shows readers committed transactions, no open or aborted ones', async () => {
  const { broker, client, run, send, init, end } = world();
  const a = await init('a');
  const b = await init('b');
  const c = await init('c');
  await send(a, 'a1');
  await send(b, 'b1');
  await send(a, 'a2', 1);
  await send(c, 'c1');
  broker.append('out', 0, ['plain']);
  assert.deepEqual(broker.values('out'), []);
  assert.deepEqual(broker.values('out', 'all'), ['a1', 'b1', 'a2', 'c1', 'plain']);
  await end(b, 'abort');
  await end(c, 'commit');
  assert.deepEqual(broker.values('out'), [], 'a is open before all others');
  assert.ok(broker.isBlocked('out'));
  await end(a, 'commit');
  assert.ok(!broker.isBlocked('out'));
  const fetched = await run(client.fetch('out', 0, 0, 2));
  assert.deepEqual(
    fetched.records.map(({ offset, value }) => [offset, value]),
    [
      [0, 'a1'],
      [2, 'a2'],
    ],
  );
  const rest = await run(client.fetch('out', 0, fetched.nextOffset, 10));
  assert.deepEqual(
    rest.records.map(({ value }) => value),
    ['c1', 'plain'],
  );
  assert.equal(rest.nextOffset, 8, 'behind three markers');
});

test('VirtualBroker fences a zombie: it adds nothing to what is not its own', async () => {
  const { broker, send, init, end } = world();
  const zombie = await init('id');
  await send(zombie, 'old');
  const next = await init('id');
  assert.ok(next.epoch > zombie.epoch && next.producerId === zombie.producerId);
  await assert.rejects(send(zombie, 'late', 1), ProducerFencedError);
  await send(next, 'new');
  await assert.rejects(end(zombie, 'commit'), ProducerFencedError);
  await assert.rejects(end(zombie, 'abort'), ProducerFencedError);
  await end(next, 'commit');
  await assert.rejects(send(next, 'too late', 1), ProducerFencedError);
  assert.deepEqual(broker.values('out'), ['new']);
});

test('VirtualBroker answers a repeated commit, until the next transaction begins', async () => {
  const { broker, client, run, send, init, end } = world();
  const first = await init('id');
  await assert.rejects(end(first, 'commit'), TransactionStateError, 'nothing was written');
  await send(first, 1);
  const second = await end(first, 'commit');
  assert.deepEqual(await end(first, 'commit'), second);
  await assert.rejects(end(first, 'abort'), TransactionStateError);
  await send(second, 2);
  await assert.rejects(end(first, 'commit'), ProducerFencedError);
  assert.equal(await run(client.outcomeOf(first)), 'committed');
  assert.equal(await run(client.outcomeOf(second)), 'open');
  assert.deepEqual(broker.values('out'), [1]);
  await end(second, 'abort');
  await assert.rejects(end(second, 'commit'), TransactionStateError);
  assert.equal(await run(client.outcomeOf(second)), 'aborted');
  assert.equal(await run(client.outcomeOf({ ...first, epoch: 99 })), 'unknown');
  await assert.rejects(end({ ...first, producerId: 7 }, 'commit'), TransactionStateError);
});

test('VirtualBroker aborts what is open for too long, and fences its producer', async () => {
  const { broker, environment, client, run, send, init, end } = world();
  const slow = await init('slow', 1_000);
  await send(slow, 'lost');
  broker.append('out', 0, ['behind']);
  await run(new Promise<void>((resolve) => void environment.scheduler.after(1_001, resolve)));
  assert.equal(await run(client.outcomeOf(slow)), 'aborted');
  assert.deepEqual(broker.values('out'), ['behind']);
  await assert.rejects(send(slow, 'more', 1), ProducerFencedError);
  await assert.rejects(end(slow, 'commit'), TransactionStateError);
});

test('VirtualBroker tells after a time-out whether a commit was done', async () => {
  for (const fault of ['lostRequest', 'lostReply'] as const) {
    const { broker, client, run, send, init, end } = world();
    const producer = await init('id');
    await send(producer, 1);
    broker.server.fault = ({ label }) => (label.startsWith('commit') ? fault : undefined);
    await assert.rejects(end(producer, 'commit'), BrokerUnavailableError);
    const outcome = await run(client.outcomeOf(producer));
    assert.equal(outcome, fault === 'lostReply' ? 'committed' : 'open');
    broker.server.fault = () => undefined;
    await end(producer, 'commit');
    assert.deepEqual(broker.values('out'), [1]);
  }
});

test('VirtualBroker writes a repeated batch once', async () => {
  const { broker, send, init, end } = world();
  const producer = await init('id');
  broker.server.fault = ({ index }) => (index === 2 ? 'lostReply' : undefined);
  await assert.rejects(send(producer, 1), BrokerUnavailableError);
  await send(producer, 1);
  await send(producer, 2, 1);
  await end(producer, 'commit');
  assert.deepEqual(broker.values('out'), [1, 2]);
});

test('VirtualBroker lets an id wait for the markers of its last transaction', async () => {
  let waits = 0;
  let halves = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const { broker, environment, client, run, send, init, end } = world(seed, {
      markerDelayMs: 100,
      latencyMs: 1,
    });
    const producer = await init('id');
    await send(producer, 1, 0, 0);
    await send(producer, 1, 0, 1);
    const next = await end(producer, 'commit');
    if (broker.values('out').length === 1) halves++;
    await send(next, 2).catch((error: unknown) => {
      assert.ok(error instanceof BrokerUnavailableError);
      waits++;
    });
    const again = () => client.initProducer('id', TIMEOUT_MS);
    await run(retryCall(environment.scheduler, 16, again));
    broker.server.advance(1_000);
    assert.deepEqual(broker.values('out'), [1, 1]);
  }
  assert.ok(waits > 5 && halves > 5, `${waits} waits, ${halves} halves`);
});

/** Writes a transaction of three records, and commits or aborts it; may end at any call. */
async function writeTransaction(
  client: BrokerClient,
  environment: VirtualEnvironment,
  name: string,
  random: SeededRandom,
  begun: (identity: ProducerIdentity) => void,
): Promise<void> {
  const repeat = <T>(call: () => Promise<T>) => retryCall(environment.scheduler, 30, call);
  // Two names only: producers of one name fence each other.
  const id = `id${random.below(2)}`;
  const identity = await repeat(() => client.initProducer(id, 3_000));
  begun(identity);
  for (let i = 0; i < 3; i++) {
    const partition = i % 2;
    const records = [{ value: `${name} ${i}`, timestampMs: i }];
    const batch = { topic: 'out', partition, firstSequence: i >> 1, records };
    await repeat(() => client.produce(identity, batch));
  }
  if (random.chance(0.2)) return;
  await repeat(() => client.endTransaction(identity, random.chance(0.8) ? 'commit' : 'abort'));
}

async function runProducers(seed: number) {
  const { broker } = world(seed, { markerDelayMs: 20 });
  const random = new SeededRandom(`producers/${seed}`);
  broker.server.setFaults({
    throttled: 0.05,
    refused: 0.05,
    lostRequest: 0.03,
    lostReply: 0.05,
    late: 0.05,
    slow: 0.05,
  });
  const identities = new Map<string, ProducerIdentity>();
  let startMs = 0;
  for (let life = 0; life < 4; life++) {
    const environment = new VirtualEnvironment({ seed: seed * 8 + life, startMs });
    const processes = [environment, environment.startProcess(2), environment.startProcess(3)];
    const writers = processes.map(async (process, index) => {
      for (let count = 0; count < 3; count++) {
        const name = `${life}-${index}-${count}`;
        const begun = (identity: ProducerIdentity) => void identities.set(name, identity);
        await writeTransaction(broker.connect(process), process, name, random, begun).catch(
          (error: unknown) => {
            const isExpected =
              isTransient(error) ||
              error instanceof ProducerFencedError ||
              error instanceof TransactionStateError;
            assert.ok(isExpected, String(error));
          },
        );
      }
    });
    const all = Promise.all(writers);
    if (life === 3) await environment.runUntil(all);
    for (let step = 20 + random.below(150); life < 3 && step > 0; step--) await environment.step();
    for (const process of processes) process.crash();
    startMs = environment.clock.nowMs() + 10;
  }
  broker.server.setFaults();
  for (let i = 0; i < 10; i++) broker.server.advance(10_000);
  return { broker, identities };
}

test('VirtualBroker: read-committed = the committed transactions, over many seeds', async () => {
  const count = { committed: 0, aborted: 0, open: 0, unknown: 0 };
  for (let seed = 1; seed <= 100; seed++) {
    const { broker, identities } = await runProducers(seed);
    assert.ok(!broker.isBlocked('out'), `seed ${seed}: a transaction was left open`);
    const expected: string[] = [];
    for (const [name, identity] of identities) {
      const outcome = broker.coordinator.outcomeOf(identity);
      count[outcome]++;
      if (outcome === 'committed') expected.push(`${name} 0`, `${name} 1`, `${name} 2`);
    }
    assert.deepEqual([...broker.values('out')].sort(), expected.sort(), `seed ${seed}`);
  }
  assert.ok(count.committed > 100 && count.aborted > 100, JSON.stringify(count));
});
