import { StreamError } from '../base/errors.ts';

/** A value cannot be stored or sent: a function, a symbol, a class instance, a cycle. */
export class UnserializableValueError extends StreamError<{ path: string; type: string }> {
  static override readonly code = 'UNSERIALIZABLE_VALUE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** Bytes (or tagged JSON) are not what the codec writes: damaged, or written by something else. */
export class MalformedDataError extends StreamError<{ reason: string; position: number }> {
  static override readonly code = 'MALFORMED_DATA';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** @throws MalformedDataError always */
export function malformed(reason: string, position: number, cause?: unknown): never {
  throw new MalformedDataError(
    `malformed data at byte ${position}: ${reason}`,
    { reason, position },
    cause === undefined ? {} : { cause },
  );
}
