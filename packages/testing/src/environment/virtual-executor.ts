import type { BackgroundExecutor, BackgroundJob } from '@millrace/core/host';

/**
 * Runs background jobs in the one thread of the simulation: each in a turn of its own, a while
 * later. Input and output go through structured clone, so that what could not be posted to a thread
 * (a function) fails here too, and transferred buffers are gone for their sender.
 */
export class VirtualExecutor implements BackgroundExecutor {
  readonly #later: (run: () => void) => void;
  readonly #lanes = new Map<string, Promise<unknown>>();
  #closed = false;
  /** Set it to let jobs fail as if their thread had died: the error, or undefined. */
  fault: (job: string) => Error | undefined = () => undefined;

  /** @param later runs its argument in a later turn, if the process is still alive */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  run<Input, Output>(
    job: BackgroundJob<Input, Output>,
    input: Input,
    lane: 'persist' | 'compaction',
  ): Promise<Output> {
    const posted = structuredClone(input, { transfer: job.transferInput?.(input) ?? [] });
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const done = before.then(
      () =>
        new Promise<Output>((resolve, reject) => {
          this.#later(() => {
            if (this.#closed) return;
            try {
              const failure = this.fault(job.name);
              if (failure !== undefined) throw failure;
              const output = job.run(posted);
              resolve(structuredClone(output, { transfer: job.transferOutput?.(output) ?? [] }));
            } catch (error) {
              reject(error);
            }
          });
        }),
    );
    this.#lanes.set(
      lane,
      done.catch(() => {}),
    );
    return done;
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
