import { crc32 } from 'node:zlib';
import type { Cancel, Environment } from '../base/environment.ts';
import { resolveCheckpointOptions } from '../config/checkpoint-options.ts';
import type { CheckpointOptions } from '../config/checkpoint-options.ts';
import type { CheckpointBarrier } from '../element/element.ts';
import type { FromTask, SubtaskId, TaskGateway } from '../protocol/messages.ts';
import type { Json, RunReference, SubtaskSnapshot } from '../state/snapshot.ts';
import type { CheckpointStorage, StoredObject } from '../storage/checkpoint-storage.ts';
import { StorageUnavailableError } from '../storage/storage-errors.ts';
import { CheckpointDriver } from './checkpoint-driver.ts';
import type { CheckpointEvent } from './completed-checkpoint.ts';
import { type Recovery, type RecoveryOptions, recover } from './recovery.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

let processes = 0;

/** For tests: time that moves only by `advance`, chance that is a counter. */
export class VirtualTime {
  nowMs = 0;
  readonly warnings: string[] = [];
  readonly environment: Environment;
  readonly #timers = new Set<Timer>();
  readonly #process = ++processes;
  #hexes = 0;

  constructor() {
    const after = (delayMs: number, run: () => void): Cancel => {
      const timer = { atMs: this.nowMs + delayMs, run };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    };
    this.environment = {
      clock: { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      scheduler: { defer: (run) => void after(0, run), after },
      random: {
        next: () => 0.5,
        hex: (bytes) => `${this.#process}-${++this.#hexes}`.padStart(2 * bytes, '0'),
      },
      logger: {
        log: (level, message) => {
          if (level === 'warn' || level === 'error') this.warnings.push(message);
        },
      },
      // The coordinator uses neither; a test that reaches them should fail.
      executor: undefined as unknown as Environment['executor'],
      fileSystem: undefined as unknown as Environment['fileSystem'],
    };
  }

  /** Moves the time, runs what is due, and lets all promises settle. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers]
        .filter((timer) => timer.atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
      await settle();
    }
    this.nowMs = untilMs;
  }

  /** Moves the time until a promise has settled, at most an hour. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const done = () => {
      isSettled = true;
    };
    promise.then(done, done);
    for (let step = 0; !isSettled && step < 3_600; step++) await this.advance(1_000);
    return promise;
  }
}

/** Lets everything that waits for promises go as far as it can: memory needs no other turns. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await null;
}

type Operation = 'put' | 'createIfAbsent' | 'get' | 'getRange' | 'list' | 'delete';

/** Decides about a call: fail it before its effect, after it, or not at all; may wait. */
export type Fault = (
  operation: Operation,
  name: string,
) => 'before' | 'after' | null | Promise<'before' | 'after' | null>;

/** A storage whose calls fail when `fault` says so. */
export class FaultyStorage implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate = true;
  readonly #inner: CheckpointStorage;
  fault: Fault = () => null;

  constructor(inner: CheckpointStorage) {
    this.#inner = inner;
    this.location = inner.location;
  }

  put(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    return this.#call('put', name, () => this.#inner.put(name, chunks));
  }

  putStream(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#call('put', name, () => this.#inner.putStream(name, chunks));
  }

  createIfAbsent(name: string, data: Uint8Array): Promise<'created' | 'exists'> {
    return this.#call('createIfAbsent', name, () => this.#inner.createIfAbsent(name, data));
  }

  get(name: string): Promise<Uint8Array> {
    return this.#call('get', name, () => this.#inner.get(name));
  }

  getRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#call('getRange', name, () => this.#inner.getRange(name, offset, length));
  }

  getRangeNow(name: string, offset: number, length: number): Uint8Array {
    return this.#inner.getRangeNow!(name, offset, length);
  }

  list(prefix: string): Promise<StoredObject[]> {
    return this.#call('list', prefix, () => this.#inner.list(prefix));
  }

  delete(name: string): Promise<void> {
    return this.#call('delete', name, () => this.#inner.delete(name));
  }

  async deleteAll(names: readonly string[]): Promise<void> {
    for (const name of names) await this.delete(name);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #call<T>(operation: Operation, name: string, run: () => Promise<T>): Promise<T> {
    const decision = await this.fault(operation, name);
    const details = { location: this.location, operation, name };
    if (decision === 'before') throw new StorageUnavailableError('injected, no effect', details);
    const result = await run();
    if (decision === 'after') throw new StorageUnavailableError('injected, with effect', details);
    return result;
  }
}

/** Names of all objects below a prefix. */
export async function namesOf(storage: CheckpointStorage, prefix = ''): Promise<string[]> {
  return (await storage.list(prefix)).map(({ name }) => name);
}

/** `recover` with the options that most tests want. */
export function recoverWith(
  time: VirtualTime,
  storage: CheckpointStorage,
  more: Partial<RecoveryOptions> = {},
): Promise<Recovery> {
  return recover({
    storage,
    environment: time.environment,
    jobName: 'totals',
    from: { kind: 'latest' },
    needsExactlyOnce: true,
    assumeSingleWriter: false,
    allowDuplicates: false,
    standby: false,
    restoreMode: 'no-claim',
    openDirectory: (directory) => Promise.reject(new Error(`nobody can open ${directory}`)),
    check: () => {},
    ...more,
  });
}

/** A job of one operator with two subtasks, as far as the driver sees it. */
export class FakeJob implements TaskGateway {
  readonly attempt: number;
  readonly subtasks: readonly SubtaskId[] = ['count#0', 'count#1'];
  /** In the order they came. */
  readonly calls: string[] = [];
  readonly failures: unknown[] = [];
  onTrigger: (barrier: CheckpointBarrier) => void = () => {};

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  trigger(barrier: CheckpointBarrier): Readonly<Record<string, Json>> {
    this.calls.push(`trigger ${barrier.checkpointId} ${barrier.snapshotKind}`);
    this.onTrigger(barrier);
    return { orders: { seen: barrier.checkpointId } };
  }

  notifyComplete(checkpointId: number): void {
    this.calls.push(`complete ${checkpointId}`);
  }

  notifyAborted(checkpointId: number): void {
    this.calls.push(`abort ${checkpointId}`);
  }

  fail(error: unknown): void {
    this.failures.push(error);
  }
}

/** An acknowledgement with one run per subtask. */
export function acknowledge(
  attempt: number,
  checkpointId: number,
  subtask: SubtaskId,
  runs: readonly RunReference[],
): FromTask {
  const first = subtask.endsWith('#0') ? 0 : 64;
  const snapshot: SubtaskSnapshot = {
    finished: false,
    operators: {
      count: {
        keyed: {
          keyGroups: { first, last: first + 63 },
          tables: [{ name: 'total', kind: 'value', version: 1 }],
          runs,
        },
        lists: [],
      },
    },
  };
  return {
    kind: 'acknowledge',
    attempt,
    subtask,
    checkpointId,
    snapshot,
    alignmentMs: 0,
    freezeMs: 0,
  };
}

/** Writes a run of a few bytes. */
export async function writeRun(
  storage: CheckpointStorage,
  file: string,
  text = file,
): Promise<RunReference> {
  const data = Buffer.from(text);
  await storage.put(file, [data]);
  return {
    file,
    offset: 0,
    length: data.length,
    crc32: crc32(data),
    keyGroups: { first: 0, last: 127 },
    entries: 1,
  };
}

/** A process that runs the job: a recovered owner, a driver, and the job's current attempt. */
export class FakeProcess {
  readonly time: VirtualTime;
  readonly storage: CheckpointStorage;
  readonly recovery: Recovery;
  readonly driver: CheckpointDriver;
  readonly events: CheckpointEvent[] = [];
  job = new FakeJob(1);

  private constructor(
    time: VirtualTime,
    storage: CheckpointStorage,
    recovery: Recovery,
    options: Partial<CheckpointOptions>,
  ) {
    this.time = time;
    this.storage = storage;
    this.recovery = recovery;
    this.driver = new CheckpointDriver({
      environment: time.environment,
      storage: recovery.storage,
      recovery,
      checkpoints: resolveCheckpointOptions({
        directory: 'memory',
        intervalMs: Number.POSITIVE_INFINITY,
        ...options,
      }),
      jobName: 'totals',
      fingerprint: 'f00d',
      operators: { count: { parallelism: 2, maxParallelism: 128 } },
      onEvent: (event) => this.events.push(event),
    });
    this.driver.start(this.job);
  }

  static async start(
    storage: CheckpointStorage,
    options: Partial<CheckpointOptions> = {},
    more: Partial<RecoveryOptions> = {},
  ): Promise<FakeProcess> {
    const time = new VirtualTime();
    const recovery = await time.until(recoverWith(time, storage, more));
    return new FakeProcess(time, storage, recovery, options);
  }

  /** Both subtasks acknowledge; each wrote one run, unless `runs` are given. */
  async acknowledge(checkpointId: number, runs?: readonly RunReference[]): Promise<RunReference[]> {
    const { attempt } = this.job;
    const written: RunReference[] = [];
    for (const [index, subtask] of this.job.subtasks.entries()) {
      const file = `shared/${this.recovery.generation}-${attempt}-${checkpointId}s${index}.run`;
      const own = runs ?? [await writeRun(this.storage, file)];
      written.push(...own);
      this.driver.onMessage(acknowledge(attempt, checkpointId, subtask, own));
    }
    return written;
  }

  /** A checkpoint from request to completion. */
  async checkpoint(): Promise<number> {
    const done = this.driver.triggerCheckpoint();
    const id = Number(this.job.calls.at(-1)!.split(' ')[1]);
    await this.acknowledge(id);
    await this.time.until(done);
    await settle();
    return id;
  }
}
