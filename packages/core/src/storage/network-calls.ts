import type { Environment } from '../base/environment.ts';
import {
  failedCall,
  isKnownNotDone,
  StorageClockSkewError,
  StorageCredentialsExpiredError,
  StorageError,
  type StorageErrorDetails,
  StorageUnavailableError,
} from './storage-errors.ts';

// One call of a driver that reaches its storage over a network.
//
//   attempt --answer--> resolved
//      |  ^
//      |  +--delay, jittered-- failed, may be repeated
//      +--failed otherwise, attempts or time used up--> rejected
//      +--no byte for idleTimeoutMs, or out of time--> failed: unavailable
//      +--the caller's signal--> rejected with its reason, at once
//
// C1. A call ends within `callTimeoutMs`, plus the time that the bytes it moves may take at
//     `bytesPerSecondMin`, whatever the server and the transport do.
// C2. What must not happen twice is repeated only if it certainly did not happen.

/** How patient a network driver is. */
export interface NetworkPolicy {
  /** Attempts of one call in all, 1 or more. */
  readonly attemptCount: number;
  /** Before the first repetition; doubles with each. */
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** For a connection to be there; the transport looks after it. */
  readonly connectTimeoutMs: number;
  /** An attempt in which no byte moves for so long has failed. */
  readonly idleTimeoutMs: number;
  /** For a call with all its attempts, beside the time that its bytes take. */
  readonly callTimeoutMs: number;
  /** A transfer slower than this counts as hung. */
  readonly bytesPerSecondMin: number;
  /** Calls under way at once; others wait for their turn, and their time begins with it. */
  readonly callCountMax: number;
}

/** A hung server is noticed after 10 s and given up after 30 s. */
export const DEFAULT_NETWORK_POLICY: NetworkPolicy = {
  attemptCount: 4,
  firstDelayMs: 100,
  delayMsMax: 3_000,
  connectTimeoutMs: 3_000,
  idleTimeoutMs: 10_000,
  callTimeoutMs: 30_000,
  bytesPerSecondMin: 256 * 1_024,
  callCountMax: 64,
};

/** What an attempt gets. */
export interface NetworkAttempt {
  /** Aborted when the attempt has lost: out of time, or nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** To be called when bytes have come, with their count. */
  moved(byteCount: number): void;
}

/** A call, to be given to `NetworkCalls.run`. */
export interface NetworkCall<T> {
  readonly details: StorageErrorDetails;
  readonly signal: AbortSignal | undefined;
  /** Bytes that an attempt sends before it can hear anything. Default 0. */
  readonly sentBytes?: number;
  /** False: the call must not happen twice (C2). */
  readonly isRepeatable: boolean;
  attempt(attempt: NetworkAttempt): Promise<T>;
  /** What an attempt threw, as one of our errors. */
  errorOf(error: unknown): StorageError;
}

type Surroundings = Pick<Environment, 'clock' | 'scheduler' | 'random'>;

/** Retries, time-outs and cancellation for network drivers. */
export class NetworkCalls {
  readonly #environment: Surroundings;
  readonly #policy: NetworkPolicy;
  readonly #waiting: (() => void)[] = [];
  #callCount = 0;

  constructor(environment: Surroundings, policy: NetworkPolicy) {
    this.#environment = environment;
    this.#policy = policy;
  }

  /** @throws StorageError; the caller's reason if it gave the call up */
  async run<T>(call: NetworkCall<T>): Promise<T> {
    await this.#enter(call.signal);
    try {
      return await this.#repeat(call);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#callCount--;
      else next(); // takes the place over
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#callCount < this.#policy.callCountMax) {
      this.#callCount++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal!.reason);
      };
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }

  async #repeat<T>(call: NetworkCall<T>): Promise<T> {
    const { clock, random } = this.#environment;
    const deadlineMs = clock.monotonicMs() + this.#policy.callTimeoutMs;
    for (let repetition = 0; ; repetition++) {
      call.signal?.throwIfAborted();
      let failure: StorageError;
      try {
        return await this.#attempt(call, deadlineMs);
      } catch (error) {
        call.signal?.throwIfAborted();
        failure = error instanceof StorageError ? error : call.errorOf(error);
      }
      const delayMs = delayBefore(repetition, random.next(), this.#policy);
      const hasTime = clock.monotonicMs() + delayMs < deadlineMs;
      const isLast = repetition + 1 >= this.#policy.attemptCount || !hasTime;
      if (isLast || !mayRepeat(failure, call.isRepeatable, repetition)) throw failure;
      await this.#wait(delayMs, call.signal);
    }
  }

  #attempt<T>(call: NetworkCall<T>, deadlineMs: number): Promise<T> {
    const { clock, scheduler } = this.#environment;
    const { idleTimeoutMs, bytesPerSecondMin } = this.#policy;
    const controller = new AbortController();
    const msOf = (byteCount: number): number => (byteCount / bytesPerSecondMin) * 1_000;
    const sendingMs = msOf(call.sentBytes ?? 0);
    let idleAtMs = clock.monotonicMs() + idleTimeoutMs + sendingMs;
    let endAtMs = deadlineMs + sendingMs;
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => finish(() => reject(call.signal!.reason));
      const look = (): void => {
        const leftMs = Math.min(idleAtMs, endAtMs) - clock.monotonicMs();
        if (leftMs > 0) {
          cancelLook = scheduler.after(leftMs, look);
          return;
        }
        finish(() => reject(timeoutOf(call.details, idleAtMs <= endAtMs)));
      };
      const finish = (settle: () => void): void => {
        settle(); // first, so that what the abort below brings about comes too late
        cancelLook();
        call.signal?.removeEventListener('abort', giveUp);
        controller.abort();
      };
      let cancelLook = scheduler.after(Math.min(idleAtMs, endAtMs) - clock.monotonicMs(), look);
      call.signal?.addEventListener('abort', giveUp);
      const moved = (byteCount: number): void => {
        idleAtMs = clock.monotonicMs() + idleTimeoutMs;
        endAtMs += msOf(byteCount);
      };
      const attempt = async (): Promise<T> => call.attempt({ signal: controller.signal, moved });
      attempt().then(
        (value) => finish(() => resolve(value)),
        (error: unknown) => finish(() => reject(error)),
      );
    });
  }

  #wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#environment.scheduler.after(delayMs, done);
      signal?.addEventListener('abort', done);
    });
  }
}

/**
 * The pause before repetition `repetition` (from 0): doubling, bounded, and by chance between half
 * of that and the whole, so that many clients that failed together do not come back together.
 *
 * @param chance uniform in [0, 1)
 */
export function delayBefore(
  repetition: number,
  chance: number,
  policy: Pick<NetworkPolicy, 'firstDelayMs' | 'delayMsMax'>,
): number {
  const mostMs = Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** Math.min(repetition, 20));
  return mostMs * (0.5 + chance / 2);
}

/**
 * Whether a call is worth another attempt. Expired credentials and a wrong clock get one: clients
 * fetch new credentials, and take the server's clock, when they hear of it.
 */
export function mayRepeat(error: StorageError, isRepeatable: boolean, repetition: number): boolean {
  if (error instanceof StorageUnavailableError) return isRepeatable || isKnownNotDone(error);
  const mendsItself =
    error instanceof StorageCredentialsExpiredError || error instanceof StorageClockSkewError;
  return mendsItself && repetition === 0;
}

function timeoutOf(details: StorageErrorDetails, isIdle: boolean): StorageUnavailableError {
  const why = isIdle ? 'no answer for too long' : 'not done in time';
  return new StorageUnavailableError(`${failedCall(details)}: ${why}, outcome unknown`, details, {
    hint: 'Look whether the storage and the way to it are well; the call is repeated.',
  });
}
