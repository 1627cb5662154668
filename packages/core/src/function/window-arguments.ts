import { StreamError } from '../base/errors.ts';

/** A window, trigger or evictor was described with arguments that make no sense together. */
export class InvalidWindowError extends StreamError<{ window: string }> {
  static override readonly code = 'INVALID_WINDOW';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** @throws InvalidWindowError unless `ms` is a whole number above 0 */
export function checkDuration(window: string, name: string, ms: number): void {
  if (Number.isSafeInteger(ms) && ms > 0) return;
  throw invalidWindow(
    window,
    `${name} must be a whole number of milliseconds above 0, but is ${ms}`,
  );
}

/** @throws InvalidWindowError unless `count` is a whole number above 0 */
export function checkCount(window: string, name: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return;
  throw invalidWindow(window, `${name} must be a whole number above 0, but is ${count}`);
}

/** @returns the error that says what is wrong with which window */
export function invalidWindow(window: string, what: string, hint?: string): InvalidWindowError {
  return new InvalidWindowError(
    `${window}: ${what}`,
    { window },
    hint === undefined ? {} : { hint },
  );
}
