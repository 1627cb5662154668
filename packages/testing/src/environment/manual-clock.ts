import type { Clock } from '@millrace/core/host';

/** A clock that stands still until it is moved. For code that takes a `Clock` and no more. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;

  /** @param startMs wall clock, milliseconds since 1970 */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  /** @param byMs 0 or more */
  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}
