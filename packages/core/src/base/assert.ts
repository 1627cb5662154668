import { StreamError } from './errors.ts';

/** An invariant of Millrace does not hold: a bug in Millrace, never a mistake of the user. */
export class AssertionError extends StreamError<{ invariant: string }> {
  static override readonly code = 'ASSERTION_FAILED';
  static override readonly domain = 'internal';
  static override readonly retry = 'restart';
}

/**
 * Fails the task if an invariant does not hold.
 *
 * @param why why it must hold; a function if building the text costs something
 * @throws AssertionError
 */
export function assert(condition: unknown, why: string | (() => string)): asserts condition {
  if (!condition) {
    const invariant = typeof why === 'string' ? why : why();
    throw new AssertionError(`broken invariant: ${invariant}`, { invariant });
  }
}

/** Closes a switch over a union; a new member then fails to compile, or fails here. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected case ${JSON.stringify(value)}`, {
    invariant: 'a switch over a union is complete',
  });
}
