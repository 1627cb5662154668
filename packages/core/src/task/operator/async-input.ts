import type { AsyncFunction } from '../../function/process-function.ts';

/** How one call of an asynchronous function ended. */
export type AsyncOutcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown };

/** One input of `mapAsync` and its calls. */
export class AsyncInput {
  readonly value: unknown;
  readonly timestampMs: number;
  /** Calls made. */
  attempts = 0;
  /** Of the last call; null while it runs. */
  outcome: AsyncOutcome | null = null;
  /** What goes out, once that is known. */
  outputs: readonly unknown[] = [];
  /** Infinity: no limit. */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** Infinity: no retry is planned. */
  retryAtMs = Number.POSITIVE_INFINITY;
  // Most functions never look at their signal, so it is made when they do.
  #controller: AbortController | null = null;
  #abortReason: unknown = null;

  constructor(value: unknown, timestampMs: number) {
    this.value = value;
    this.timestampMs = timestampMs;
  }

  /** Calls the function. `settled` is called outside the turn, with `outcome` set. Never throws. */
  start(call: AsyncFunction<unknown, unknown>, settled: () => void): void {
    this.attempts++;
    this.retryAtMs = Number.POSITIVE_INFINITY;
    this.outcome = null;
    const attempt = this.attempts;
    const settle = (outcome: AsyncOutcome): void => {
      if (attempt !== this.attempts) return;
      this.outcome = outcome;
      settled();
    };
    // An async wrapper, so that what the function throws at once is a rejection like any other.
    const run = async (): Promise<unknown> => call(this.value, this.#callContext());
    run().then(
      (value) => settle({ kind: 'value', value }),
      (error: unknown) => settle({ kind: 'error', error }),
    );
  }

  /** Tells the function that nobody waits for it any more. */
  abort(reason: unknown): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  #signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abortReason !== null) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  #callContext(): { readonly signal: AbortSignal } {
    const signal = (): AbortSignal => this.#signal();
    return {
      get signal(): AbortSignal {
        return signal();
      },
    };
  }
}
