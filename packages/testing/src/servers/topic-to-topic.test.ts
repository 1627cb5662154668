// Goal: a job from topic to topic, with its checkpoints in the object store, commits each record
// exactly once and in order per key, whatever dies and whatever fails. Method: whole jobs; a crash
// at every third step without faults; then seeds with crashes, takeovers, faults of both servers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  job,
  JobFencedError,
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
import { SERVER_FAULTS, type ServerFaultRates } from './server-faults.ts';
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

// For more: SEEDS=1000 FIRST_SEED=61.
const SEEDS = Number(process.env.SEEDS ?? 60);
const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1);

/** Servers with input: every key is in one partition. */
class Servers {
  readonly broker: VirtualBroker;
  readonly store: VirtualObjectStore;
  /** Called by the job for each record. */
  userCode = (): void => {};

  constructor(seed: number) {
    const topics = { in: PARTITIONS, out: 3 };
    this.broker = new VirtualBroker({ random: new SeededRandom(`broker/${seed}`), topics });
    this.store = new VirtualObjectStore({ random: new SeededRandom(`store/${seed}`) });
    const random = new SeededRandom(`input/${seed}`);
    for (let i = 0; i < PER_KEY; i++) {
      for (const [index, key] of KEYS.entries()) this.#write(index % PARTITIONS, key, random);
    }
    this.broker.server.advance(1_000);
  }

  // Some records are in transactions, and some transactions of others are aborted.
  #write(partition: number, key: string, random: SeededRandom): void {
    const { coordinator } = this.broker;
    const log = this.broker.partition('in', partition);
    for (const [value, result] of [
      ['noise', 'abort'],
      [key, 'commit'],
    ] as const) {
      if (value === key && random.chance(0.5)) {
        this.broker.append('in', partition, [key]);
      } else if (value === key || random.chance(0.3)) {
        const identity = coordinator.init(`input/${partition}/${log.endOffset}`, 60_000);
        coordinator.write(identity, log, 0, [{ value, timestampMs: Number.NaN }]);
        coordinator.end(identity, result);
      }
    }
  }

  setFaults(rates: Partial<ServerFaultRates>): void {
    this.broker.server.setFaults(rates);
    this.store.server.setFaults(rates);
  }

  async start(environment: VirtualEnvironment, options: RunOptions = {}): Promise<JobExecution> {
    return run(countJob(this), {
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
    for (let i = 0; i < 30; i++) this.broker.server.advance(60_000);
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

function countJob(servers: Servers): JobDefinition {
  const { broker } = servers;
  return job('count', (flow) => {
    flow
      .from('in', virtualBrokerSource<string>(broker, { topic: 'in', fetchRecords: 3 }))
      .keyBy((key) => key)
      .process('counts', {
        state: { count: value(0) },
        output: type<Counted>(),
        onRecord(_record, { key, state, emit }) {
          servers.userCode();
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

/** A process that runs the job. */
class Process {
  readonly environment: VirtualEnvironment;
  isDone = false;
  failure: unknown;

  constructor(servers: Servers, environment: VirtualEnvironment, options?: RunOptions) {
    this.environment = environment;
    servers
      .start(environment, options)
      .then((execution) => execution.done)
      .then(
        () => {
          this.isDone = true;
        },
        (error: unknown) => {
          this.failure = error;
        },
      );
  }

  get isOver(): boolean {
    return this.isDone || this.failure !== undefined;
  }
}

const STEPS_MAX = 100_000;

/** Steps until one process has finished the job, all have failed, or `steps` are over. */
async function stepAll(processes: readonly Process[], steps: number): Promise<boolean> {
  const { environment } = processes[0]!;
  for (let step = 0; step < steps; step++) {
    if (processes.some(({ isDone }) => isDone)) return true;
    if (processes.every(({ isOver }) => isOver)) break;
    if (!(await environment.step())) break; // all that are not over sleep, or are stuck
  }
  for (const { failure } of processes) {
    if (failure !== undefined && !(failure instanceof StreamError)) throw failure;
  }
  return processes.some(({ isDone }) => isDone);
}

test('a job from topic to topic writes each record once, whatever step it crashes at', async () => {
  const plain = new Servers(1);
  const environment = new VirtualEnvironment({ seed: 1, msPerStep: 1 });
  assert.ok(await stepAll([new Process(plain, environment)], STEPS_MAX));
  plain.check();
  for (let step = 0; step < environment.steps; step += 3) {
    const servers = new Servers(1);
    const first = new VirtualEnvironment({ seed: 1, msPerStep: 1 });
    await stepAll([new Process(servers, first)], step);
    first.crash();
    const startMs = first.clock.nowMs() + 100;
    const second = new VirtualEnvironment({ seed: 2, startMs, msPerStep: 1 });
    assert.ok(await stepAll([new Process(servers, second)], STEPS_MAX), `crash at step ${step}`);
    servers.broker.server.advance(5_000);
    servers.broker.server.advance(5_000);
    assert.ok(!servers.broker.isBlocked('out'), 'transactions of the dead are ended at once');
    servers.check();
  }
});

/** Each seed switches some faults on. */
function someFaults(random: SeededRandom): Partial<ServerFaultRates> {
  const often = SERVER_FAULTS.map((fault) => {
    const most = fault === 'outage' || fault === 'denial' ? 0.005 : 0.06;
    return [fault, random.chance(0.4) ? random.next() * most : 0] as const;
  });
  return Object.fromEntries(often);
}

interface Count {
  takeovers: number;
  deaths: number;
  fenced: number;
  faults: number;
}

async function runSeed(seed: number, count: Count): Promise<void> {
  const random = new SeededRandom(`sink/${seed}`);
  const servers = new Servers(seed);
  const faults = someFaults(random);
  const throwing = random.chance(0.3);
  const lives = 1 + random.below(4);
  let startMs = 0;
  for (let life = 0; life <= lives; life++) {
    const isLast = life === lives;
    servers.setFaults(isLast ? {} : faults);
    servers.userCode = () => {
      if (!isLast && throwing && random.chance(0.03)) throw new TypeError('planned');
    };
    const options = { parallelism: 1 + random.below(3) };
    const msPerStep = [0, 0.5, 2][random.below(3)]!;
    const environment = new VirtualEnvironment({ seed: seed * 16 + life, startMs, msPerStep });
    const processes = [new Process(servers, environment, options)];
    const steps = isLast ? STEPS_MAX : random.below(400);
    let isDone = await stepAll(processes, steps);
    if (!isDone && !isLast && random.chance(0.4)) {
      count.takeovers++;
      if (random.chance(0.5)) environment.pause();
      processes.push(new Process(servers, environment.startProcess(seed), options));
      isDone = await stepAll(processes, random.below(400));
      environment.resume();
      isDone ||= await stepAll(processes, random.below(400));
    }
    // Whoever is left goes on for a while: a process that was fenced must do no harm.
    if (isDone) await stepFor(environment, random.below(200));
    for (const { failure } of processes) if (failure instanceof JobFencedError) count.fenced++;
    count.deaths++;
    for (const process of processes) process.environment.crash();
    startMs = environment.clock.nowMs() + random.below(1_000);
    if (isDone) break;
    assert.ok(!isLast, `not done: ${String(processes[0]!.failure)}`);
  }
  const { injected } = servers.broker.server;
  for (const fault of SERVER_FAULTS) count.faults += injected[fault];
  servers.check();
}

async function stepFor(environment: VirtualEnvironment, steps: number): Promise<void> {
  for (let step = 0; step < steps && (await environment.step()); step++);
}

test('a job from topic to topic writes once through crashes, takeovers and faults', async () => {
  const count: Count = { takeovers: 0, deaths: 0, fenced: 0, faults: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    await runSeed(seed, count).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    });
  }
  const isBusy =
    count.fenced > 0.1 * SEEDS && count.takeovers > 0.3 * SEEDS && count.faults > SEEDS;
  assert.ok(isBusy, `too quiet: ${JSON.stringify(count)}`);
});
