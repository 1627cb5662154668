import type { Environment } from '../base/environment.ts';
import { StreamError } from '../base/errors.ts';

const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 5_000;

/** Whether a failed call is worth repeating. */
export function mayRetry(error: unknown): boolean {
  return error instanceof StreamError && error.retry === 'backoff';
}

/** Resolves after the delay before repetition number `repetition` (from 0): doubling, bounded. */
export function backoff(environment: Environment, repetition: number): Promise<void> {
  const delayMs = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** Math.min(repetition, 10));
  return new Promise((resolve) => void environment.scheduler.after(delayMs, resolve));
}

/**
 * Repeats a call that may be repeated without harm while its error says `retry: backoff`.
 *
 * @param attemptCount in all, 1 or more
 * @throws the last error
 */
export async function withRetries<T>(
  environment: Environment,
  attemptCount: number,
  call: () => Promise<T>,
): Promise<T> {
  for (let repetition = 0; ; repetition++) {
    try {
      return await call();
    } catch (error) {
      if (!mayRetry(error) || repetition + 1 >= attemptCount) throw error;
      await backoff(environment, repetition);
    }
  }
}
