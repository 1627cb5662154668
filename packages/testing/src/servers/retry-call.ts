import { type Scheduler, StreamError } from '@millrace/core/host';

const FIRST_DELAY_MS = 20;
const DELAY_MS_MAX = 1_000;

/**
 * Repeats a call, which may be repeated without harm, while its error says `retry: backoff`.
 *
 * @param attemptCount in all, 1 or more
 * @throws the last error
 */
export async function retryCall<T>(
  scheduler: Scheduler,
  attemptCount: number,
  call: () => Promise<T>,
): Promise<T> {
  for (let repetition = 0; ; repetition++) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error) || repetition + 1 >= attemptCount) throw error;
      const delayMs = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** repetition);
      await new Promise<void>((resolve) => void scheduler.after(delayMs, resolve));
    }
  }
}

/** Whether a call that failed like this may be tried again. */
export function isTransient(error: unknown): boolean {
  return error instanceof StreamError && error.retry === 'backoff';
}
