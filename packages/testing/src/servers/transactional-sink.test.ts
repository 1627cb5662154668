// Goal: a job from topic to topic, with its checkpoints in the object store, commits each record
// exactly once and in order per key, whatever dies and whatever fails. Method: whole jobs; a crash
// at every step without faults, then seeds with crashes, kills, takeovers and faults of both servers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  job,
  type JobDefinition,
  type JobExecution,
  run,
  type RunOptions,
  StreamError,
  type,
  value,
} from '@millrace/core';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import { virtualBrokerSource } from './broker-source.ts';
import type { ServerFaultRates } from './server-faults.ts';
import { virtualTransactionalSink } from './transactional-sink.ts';
import { VirtualBroker } from './virtual-broker.ts';
import { VirtualObjectStore } from './virtual-object-store.ts';

const KEYS = ['ada', 'bob', 'cyd', 'dan'];
const PER_KEY = 9;
const PARTITIONS = 2;

interface Counted {
  readonly key: string;
  readonly count: number;
}

/** Servers with input: every key is in one partition. */
class Servers {
  readonly broker: VirtualBroker;
  readonly store: VirtualObjectStore;

  constructor(seed: number) {
    const topics = { in: PARTITIONS, out: 3 };
    this.broker = new VirtualBroker({ random: new SeededRandom(`broker/${seed}`), topics });
    this.store = new VirtualObjectStore({ random: new SeededRandom(`store/${seed}`) });
    for (let i = 0; i < PER_KEY; i++) {
      for (const [index, key] of KEYS.entries())
        this.broker.append('in', index % PARTITIONS, [key]);
    }
  }

  setFaults(rates: Partial<ServerFaultRates>): void {
    this.broker.server.setFaults(rates);
    this.store.server.setFaults(rates);
  }

  async start(environment: VirtualEnvironment, options: RunOptions = {}): Promise<JobExecution> {
    return run(countJob(this.broker), {
      environment,
      storage: this.store.storage(environment, 'job'),
      parallelism: 2,
      checkpoints: { directory: 'unused', intervalMs: 20, tolerableFailures: 1_000 },
      restart: { kind: 'fixedDelay', attempts: 50, delayMs: 10 },
      tuning: { batchSize: 2, elementsPerTurn: 1, channelCapacity: 2 },
      ...options,
    });
  }

  /** Throws unless every key was counted to the end, each count once and in order. */
  check(): void {
    this.setFaults({});
    for (let i = 0; i < 100; i++) this.broker.server.advance(60_000);
    const seen: Record<string, number[]> = {};
    for (const value of this.broker.values('out')) {
      const { key, count } = value as Counted;
      seen[key] ??= [];
      seen[key].push(count);
    }
    const counts = Array.from({ length: PER_KEY }, (_, i) => i + 1);
    assert.deepEqual(seen, Object.fromEntries(KEYS.map((key) => [key, counts])));
    assert.deepEqual(this.store.overwritten, []);
  }
}

function countJob(broker: VirtualBroker): JobDefinition {
  return job('count', (flow) => {
    flow
      .from('in', virtualBrokerSource<string>(broker, { topic: 'in', fetchRecords: 3 }))
      .keyBy((key) => key)
      .process('counts', {
        state: { count: value(0) },
        output: type<Counted>(),
        onRecord(_record, { key, state, emit }) {
          state.count.set(state.count.get() + 1);
          emit({ key, count: state.count.get() });
        },
      })
      .to(
        'out',
        virtualTransactionalSink<Counted>(broker, {
          topic: 'out',
          partition: ({ key }) => KEYS.indexOf(key),
        }),
      );
  });
}

/** One life: until the job is done, or `steps` are over; then the process dies. */
async function live(
  servers: Servers,
  environment: VirtualEnvironment,
  steps: number,
  options?: RunOptions,
): Promise<boolean> {
  let isDone = false;
  let failure: unknown;
  servers
    .start(environment, options)
    .then((execution) => execution.done)
    .then(
      () => {
        isDone = true;
      },
      (error: unknown) => {
        failure = error;
      },
    );
  for (let step = 0; step < steps && !isDone && failure === undefined; step++) {
    if (!(await environment.step())) throw new Error('nothing is left to run');
  }
  if (failure !== undefined && !(failure instanceof StreamError)) throw failure;
  return isDone;
}

const STEPS_MAX = 100_000;

test('virtualTransactionalSink writes each record once, whatever step the job crashes at', async () => {
  const plain = new Servers(1);
  const environment = new VirtualEnvironment({ seed: 1, msPerStep: 1 });
  assert.ok(await live(plain, environment, STEPS_MAX));
  plain.check();
  const total = environment.steps;
  for (let step = 0; step < total; step += 3) {
    const servers = new Servers(1);
    const first = new VirtualEnvironment({ seed: 1, msPerStep: 1 });
    await live(servers, first, step);
    first.crash();
    const startMs = first.clock.nowMs() + 100;
    const second = new VirtualEnvironment({ seed: 2, startMs, msPerStep: 1 });
    assert.ok(await live(servers, second, STEPS_MAX), `crash at step ${step}`);
    servers.check();
  }
});
