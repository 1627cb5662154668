import type { Clock } from '../base/environment.ts';
import type { TtlOptions } from './descriptors.ts';

/** Time to live of one state, with its defaults filled in. */
export class TtlClock {
  readonly restampsOnRead: boolean;
  readonly showsExpired: boolean;
  readonly #ttlMs: number;
  readonly #clock: Clock;

  constructor(options: TtlOptions, clock: Clock) {
    this.#ttlMs = options.ttlMs;
    this.restampsOnRead = options.update === 'onReadAndWrite';
    this.showsExpired = options.visibility === 'returnExpiredIfNotCleanedUp';
    this.#clock = clock;
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
