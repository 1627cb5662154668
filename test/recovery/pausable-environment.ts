// A process that can be put to sleep: nothing of it runs until it is woken, not even what follows
// from an I/O operation that it had begun. What it had begun takes effect all the same.
import type { Environment, Scheduler } from '@millrace/core/host';

/** An environment whose process can sleep. */
export class PausableEnvironment implements Environment {
  readonly clock: Environment['clock'];
  readonly random: Environment['random'];
  readonly logger: Environment['logger'];
  readonly scheduler: Scheduler;
  readonly executor: Environment['executor'];
  readonly fileSystem: Environment['fileSystem'];
  #isPaused = false;
  #held: (() => void)[] = [];

  constructor(inner: Environment) {
    this.clock = inner.clock;
    this.random = inner.random;
    this.logger = inner.logger;
    this.scheduler = {
      defer: (run) => inner.scheduler.defer(() => this.#run(run)),
      after: (delayMs, run) => inner.scheduler.after(delayMs, () => this.#run(run)),
    };
    this.executor = this.#gated(inner.executor);
    this.fileSystem = this.#gated(inner.fileSystem);
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** What came meanwhile runs now, in its order. */
  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  #run(run: () => void): void {
    if (this.#isPaused) this.#held.push(run);
    else run();
  }

  // Promises of its methods, and of the file handles that they give, settle only while awake.
  #gated<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          const result: unknown = member.apply(target, args);
          return result instanceof Promise ? this.#whileAwake(result) : result;
        };
      },
    });
  }

  #whileAwake(promise: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#run(() => resolve(isHandle(value) ? this.#gated(value) : value)),
        (error: unknown) => this.#run(() => reject(error)),
      );
    });
  }
}

function isHandle(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'close' in value;
}
