import type { Clock } from '../base/environment.ts';
import type { TtlOptions } from './descriptors.ts';

/**
 * Expired entries that nobody touches would fill the heap: each write looks at this many others, so
 * at most as many dead entries stay as were written during one time to live and one round.
 */
export const SWEEP_PER_WRITE = 2;

/** Slots that hold nothing (their key's end is not sealed yet) are passed, so many at a time. */
export const SKIPPED_PER_LOOK = 4;

/** Time to live of one state, with its defaults filled in. */
export class TtlClock {
  readonly restampsOnRead: boolean;
  readonly showsExpired: boolean;
  /** Expired entries are removed in passing, unless they may still be shown. */
  readonly sweeps: boolean;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  constructor(options: TtlOptions, clock: Clock) {
    this.#ttlMs = options.ttlMs;
    this.restampsOnRead = options.update === 'onReadAndWrite';
    this.showsExpired = options.visibility === 'returnExpiredIfNotCleanedUp';
    this.#clock = clock;
    this.sweeps = !this.showsExpired;
  }

  /** When what is stamped now expires. */
  expiry(): number {
    return this.#clock.nowMs() + this.#ttlMs;
  }

  /** An entry expires at stamp + ttl <= now. */
  isExpired(expiresAtMs: number): boolean {
    return expiresAtMs <= this.#clock.nowMs();
  }
}
