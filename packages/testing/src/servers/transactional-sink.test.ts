// Goal: the sink keeps its contract at every turn of its life. Method: writer, committer and
// `recover` driven by hand, with faults on chosen calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricGroup, type SinkContext } from '@millrace/core/connector';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import { ProducerFencedError, TransactionLostError } from './broker-errors.ts';
import { type TransactionalSinkOptions, virtualTransactionalSink } from './transactional-sink.ts';
import { VirtualBroker } from './virtual-broker.ts';

function world(options: Partial<TransactionalSinkOptions<string>> = {}, seed = 1) {
  const random = new SeededRandom(`broker/${seed}`);
  const broker = new VirtualBroker({ random, topics: { out: 2 }, markerDelayMs: 0 });
  const environment = new VirtualEnvironment({ seed });
  const sink = virtualTransactionalSink<string>(broker, { topic: 'out', ...options });
  const run = <T>(promise: Promise<T>): Promise<T> => environment.runUntil(promise);
  const sleep = (ms: number): Promise<void> =>
    run(new Promise<void>((resolve) => void environment.scheduler.after(ms, resolve)));
  const context = (generation: number, attempt: number, subtaskIndex = 0): SinkContext => ({
    environment,
    jobName: 'job',
    instanceId: 'one',
    generation,
    attempt,
    operatorUid: 'out',
    subtaskIndex,
    parallelism: 2,
    metrics: new MetricGroup(),
  });
  const committer = sink.createCommitter!(context(1, 1));
  return { broker, environment, sink, run, sleep, context, committer };
}

test('the writer gives each checkpoint what was written before its barrier', async () => {
  const { broker, sink, run, context, committer } = world();
  const writer = sink.createWriter(context(1, 1), []);
  writer.write('a', 1);
  const first = writer.prepareCommit(1);
  writer.write('b', 2);
  const second = writer.prepareCommit(2);
  const third = writer.prepareCommit(3);
  const prepared = await run(first());
  assert.equal(prepared.committables.length, 1);
  assert.deepEqual(broker.values('out'), []);
  await run(committer.commit(prepared.committables));
  assert.deepEqual(broker.values('out'), ['a']);
  await run(committer.commit((await run(second())).committables));
  assert.deepEqual(broker.values('out'), ['a', 'b']);
  assert.deepEqual((await run(third())).committables, []);
});

test('the writer gives to a later checkpoint what an aborted one was not asked for', async () => {
  const { sink, run, context } = world();
  const writer = sink.createWriter(context(1, 1), []);
  writer.write('a', 1);
  const first = writer.prepareCommit(1);
  writer.write('b', 2);
  const second = await run(writer.prepareCommit(2)());
  assert.equal(second.committables.length, 2);
  const late = await run(first());
  assert.deepEqual(late.committables, second.committables.slice(0, 1), 'asked for after all');
});

test('the writer keeps the order of records over transactions', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { broker, sink, run, context, committer } = world({}, seed);
    const writer = sink.createWriter(context(1, 1), []);
    const expected = ['1', '2', '3', '4'];
    const cuts = expected.map((value, index) => {
      writer.write(value, index);
      return writer.prepareCommit(index + 1);
    });
    for (const cut of cuts) await run(committer.commit((await run(cut())).committables));
    assert.deepEqual(broker.values('out'), expected);
  }
});

test('the writer holds records back behind a slow broker, and fails when fenced', async () => {
  const { broker, sink, run, context } = world();
  const writer = sink.createWriter(context(1, 1), []);
  for (let i = 0; i < 200; i++) writer.write('x', i);
  const wait = writer.ready();
  assert.ok(wait !== null);
  await run(wait);
  assert.equal(writer.ready(), null);
  broker.coordinator.init('job/one/out/1/1/0/1', 1_000);
  writer.write('y', 1);
  await assert.rejects(run(writer.prepareCommit(1)()), ProducerFencedError);
});

test('the committer commits once, whatever the answers', async () => {
  for (const fault of ['lostReply', 'lostRequest', 'late', 'refused'] as const) {
    const { broker, sink, run, context, committer } = world();
    const writer = sink.createWriter(context(1, 1), []);
    writer.write('a', 1);
    const { committables } = await run(writer.prepareCommit(1)());
    broker.server.fault = () => fault;
    assert.deepEqual(
      (await run(committer.commit(committables))).map(({ kind }) => kind),
      ['retryLater'],
    );
    broker.server.fault = () => undefined;
    for (let again = 0; again < 2; again++) {
      const [outcome] = await run(committer.commit(committables));
      assert.equal(outcome!.kind, 'committed');
    }
    broker.server.advance(60_000);
    assert.deepEqual(broker.values('out'), ['a']);
  }
});

test('the committer finds out that a fenced transaction had been committed', async () => {
  const { broker, sink, run, context, committer } = world();
  const writer = sink.createWriter(context(1, 1), []);
  writer.write('a', 1);
  const { committables } = await run(writer.prepareCommit(1)());
  await run(committer.commit(committables));
  broker.coordinator.init(committables[0]!.transactionalId, 1_000);
  const [outcome] = await run(committer.commit(committables));
  assert.deepEqual(outcome, { kind: 'alreadyCommitted' });
});

test('the committer reports a transaction that timed out as lost data', async () => {
  const { broker, sink, run, sleep, context, committer } = world({ timeoutMs: 500 });
  const writer = sink.createWriter(context(1, 1), []);
  writer.write('a', 1);
  const { committables } = await run(writer.prepareCommit(1)());
  await sleep(501);
  const [outcome] = await run(committer.commit(committables));
  assert.ok(outcome!.kind === 'failed' && outcome.error instanceof TransactionLostError);
  assert.deepEqual(broker.values('out'), []);
});

test('recover aborts what older attempts left, and nothing else', async () => {
  const { broker, sink, run, context, committer } = world();
  const write = async (generation: number, attempt: number, value: string, subtask = 0) => {
    const writer = sink.createWriter(context(generation, attempt, subtask), []);
    writer.write(value, 1);
    return (await run(writer.prepareCommit(1)())).committables;
  };
  const restored = await write(2, 1, 'committed');
  const zombie = await write(2, 2, 'of an older attempt', 1);
  await write(1, 9, 'of an older process');
  const others = [
    await write(2, 3, 'of this attempt', 1),
    await write(3, 1, 'of a newer process'),
    await run(
      (() => {
        const fork = { ...context(1, 1), instanceId: 'one/2' };
        const writer = sink.createWriter(fork, []);
        writer.write('of a fork', 1);
        return writer.prepareCommit(1)();
      })(),
    ).then(({ committables }) => committables),
  ];
  await run(committer.commit(restored));
  await run(sink.recover!(context(2, 3), []));
  const [outcome] = await run(committer.commit(zombie));
  assert.equal(outcome!.kind, 'failed');
  for (const other of others) {
    assert.equal((await run(committer.commit(other)))[0]!.kind, 'committed');
  }
  assert.equal((await run(committer.commit(restored)))[0]!.kind, 'committed');
  assert.ok(!broker.isBlocked('out'));
  assert.deepEqual([...broker.values('out')].sort(), [
    'committed',
    'of a fork',
    'of a newer process',
    'of this attempt',
  ]);
});

test('close aborts what no checkpoint was given, and leaves the rest', async () => {
  const { broker, sink, run, sleep, context, committer } = world();
  const writer = sink.createWriter(context(1, 1), []);
  writer.write('given', 1);
  const { committables } = await run(writer.prepareCommit(1)());
  writer.write('cut', 2);
  writer.prepareCommit(2);
  writer.write('open', 3);
  await sleep(100);
  await run(writer.close());
  assert.equal((await run(committer.commit(committables)))[0]!.kind, 'committed');
  assert.deepEqual(broker.values('out'), ['given']);
  assert.deepEqual(broker.values('out', 'all').sort(), ['cut', 'given', 'open']);
  assert.ok(!broker.isBlocked('out'), 'nothing waits for a time-out');
});
