import type { BackgroundJob, Environment } from '../base/environment.ts';
import { nodeFileSystem } from '../storage/node-file-system.ts';
import { type KeyedStateStoreOptions, openKeyedStateStore } from './open-keyed-state-store.ts';
import type { KeyedStateStore } from './keyed-state-store.ts';
import type { EncodedRun, RunStore } from './run-store.ts';
import type { KeyedStateRestore, RunReference } from './snapshot.ts';

/** Chance from a seed. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 2_654_435_761) + 12_345) >>> 0 || 1;
  }

  /** Uniform in 0 to `below` - 1. */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % below;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/**
 * A world for a state store where nothing happens by itself: deferred calls, background jobs and
 * I/O wait in `pending` until the test lets one of them happen.
 */
export class StateTestBed implements RunStore {
  nowMs = 1_000;
  #monotonicMs = 0;
  readonly pending: (() => void)[] = [];
  readonly objects = new Map<string, Uint8Array>();
  /** Makes the next writes fail. */
  failingWrites = 0;
  #files = 0;
  readonly environment: Environment;

  constructor() {
    this.environment = {
      // Time passes while encoding, so that slices end.
      clock: { nowMs: () => this.nowMs, monotonicMs: () => this.#monotonicMs++ },
      scheduler: {
        defer: (run) => void this.pending.push(run),
        after: () => () => {},
      },
      random: { next: () => 0, hex: () => '00' },
      logger: { log: () => {} },
      executor: {
        run: (job, input) => this.#later(() => runJob(job, input)),
        close: async () => {},
      },
      fileSystem: nodeFileSystem(),
    };
  }

  /** A store for a range of key groups, restored from a snapshot, or from runs alone. */
  async open(
    options: Pick<KeyedStateStoreOptions, 'keyGroupRange' | 'maxParallelism'> &
      Partial<KeyedStateStoreOptions>,
    restored: KeyedStateRestore | readonly RunReference[] | null = null,
  ): Promise<KeyedStateStore> {
    return openKeyedStateStore({
      environment: this.environment,
      operatorUid: 'operator',
      runStore: this,
      restored: Array.isArray(restored)
        ? { tables: [], runs: restored }
        : (restored as KeyedStateRestore | null),
      ...options,
    });
  }

  write(run: EncodedRun): Promise<RunReference> {
    return this.#later(() => {
      if (this.failingWrites > 0) {
        this.failingWrites--;
        throw new Error('the storage is away');
      }
      return this.#store(run);
    });
  }

  read(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    return this.#later(() => this.#bytes(reference, offset, length));
  }

  readNow(reference: RunReference, offset: number, length: number): Uint8Array {
    return this.#bytes(reference, offset, length);
  }

  /** The same objects, read without waiting. */
  atOnce(): RunStore {
    return {
      write: async (run) => this.#store(run),
      read: async (reference, offset, length) => this.#bytes(reference, offset, length),
      readNow: (reference, offset, length) => this.#bytes(reference, offset, length),
    };
  }

  /** Lets one pending thing happen. */
  async step(index = 0): Promise<void> {
    const [run] = this.pending.splice(index, 1);
    run?.();
    // Whatever hangs on its promises happens too: chains are far shorter than this.
    for (let i = 0; i < 30; i++) await null;
  }

  /** Lets everything happen that is pending, and what follows from it. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10_000 && this.pending.length > 0; i++) await this.step();
  }

  /** Waits for `promise`, letting everything happen in order. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let isDone = false;
    const mark = (): void => {
      isDone = true;
    };
    promise.then(mark, mark);
    for (let i = 0; i < 10_000 && !isDone; i++) await this.step();
    if (!isDone) throw new Error('nothing is pending and the promise has not settled');
    return promise;
  }

  #later<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.pending.push(() => {
        try {
          resolve(run());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  // Behind other bytes: a run must be readable at any offset of an object.
  #store(run: EncodedRun): RunReference {
    const offset = (this.#files * 7) % 40;
    const file = `shared/${this.#files++}.run`;
    this.objects.set(file, Buffer.concat([Buffer.alloc(offset, 0x55), ...run.chunks]));
    const keyGroups = { first: run.firstKeyGroup, last: run.lastKeyGroup };
    const { length, crc32, entries } = run;
    return { file, offset, length, crc32, keyGroups, entries };
  }

  #bytes(reference: RunReference, offset: number, length: number): Uint8Array {
    const at = reference.offset + offset;
    return this.objects.get(reference.file)!.slice(at, at + length);
  }
}

// As another thread would see it.
function runJob<Input, Output>(job: BackgroundJob<Input, Output>, input: Input): Output {
  const posted = structuredClone(input, { transfer: job.transferInput?.(input) ?? [] });
  const output = job.run(posted);
  return structuredClone(output, { transfer: job.transferOutput?.(output) ?? [] });
}
