import { Worker } from 'node:worker_threads';
import type { BackgroundExecutor, BackgroundJob } from '../base/environment.ts';
import { StreamError } from '../base/errors.ts';

/** A background thread ended while it had work. */
export class BackgroundThreadError extends StreamError<{ job: string; lane: string }> {
  static override readonly code = 'BACKGROUND_THREAD_FAILED';
  static override readonly domain = 'internal';
  static override readonly retry = 'restart';
}

type Lane = 'persist' | 'compaction';

/** What the thread is told; see background-worker.ts. */
export interface WorkMessage {
  readonly id: number;
  readonly module: string;
  readonly exportName: string;
  readonly input: unknown;
}

/** What it answers. */
export type WorkAnswer =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: unknown };

interface Pending {
  readonly job: string;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One worker thread per lane, started at the first job; it does not keep the process alive. */
export class ThreadExecutor implements BackgroundExecutor {
  readonly #lanes = new Map<Lane, LaneThread>();

  run<Input, Output>(job: BackgroundJob<Input, Output>, input: Input, lane: Lane): Promise<Output> {
    let thread = this.#lanes.get(lane);
    if (thread === undefined || thread.ended) {
      thread = new LaneThread(lane);
      this.#lanes.set(lane, thread);
    }
    return thread.run(job, input) as Promise<Output>;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((thread) => thread.close()));
    this.#lanes.clear();
  }
}

class LaneThread {
  ended = false;
  readonly #lane: Lane;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  constructor(lane: Lane) {
    this.#lane = lane;
    // The same extension as this module: .ts in the sources, .js in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./background-worker.${extension}`, import.meta.url));
    this.#worker.unref();
    this.#worker.on('message', (answer: WorkAnswer) => this.#onAnswer(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  run<Input, Output>(job: BackgroundJob<Input, Output>, input: Input): Promise<unknown> {
    const id = this.#nextId++;
    // Work in flight keeps the process alive: its result is waited for.
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { job: job.name, resolve, reject });
      const { module, exportName } = job;
      const message: WorkMessage = { id, module, exportName, input };
      this.#worker.postMessage(message, job.transferInput?.(input) ?? []);
    });
  }

  async close(): Promise<void> {
    this.ended = true;
    await this.#worker.terminate();
  }

  #onAnswer(answer: WorkAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ('output' in answer) pending?.resolve(answer.output);
    else pending?.reject(answer.error);
  }

  #fail(cause: unknown): void {
    this.ended = true;
    for (const { job, reject } of this.#pending.values()) {
      reject(
        new BackgroundThreadError(
          `the ${this.#lane} thread ended while it ran "${job}"`,
          { job, lane: this.#lane },
          { cause, hint: 'The job restarts from its latest checkpoint; look at the cause.' },
        ),
      );
    }
    this.#pending.clear();
  }
}
