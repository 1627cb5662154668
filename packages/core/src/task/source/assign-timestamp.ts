import { StreamError } from '../../base/errors.ts';
import type { WatermarkStrategy } from '../../function/watermark-strategy.ts';

/** The `timestamp` function of a watermark strategy did not return a number. */
export class InvalidTimestampError extends StreamError<{ timestamp: string }> {
  static override readonly code = 'INVALID_TIMESTAMP';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/**
 * The event time of a record by a strategy.
 *
 * @param sourceTimestampMs what the source gave; returned as it is if the strategy has no function
 * @throws InvalidTimestampError if the function returns anything but a number that is not NaN
 */
export function assignTimestamp(
  strategy: WatermarkStrategy<unknown>,
  value: unknown,
  sourceTimestampMs: number,
): number {
  if (strategy.timestamp === undefined) return sourceTimestampMs;
  const timestampMs: unknown = strategy.timestamp(value, sourceTimestampMs);
  if (typeof timestampMs === 'number' && !Number.isNaN(timestampMs)) return timestampMs;
  throw invalidTimestamp(timestampMs);
}

/** @returns the error for what a `timestamp` function returned */
export function invalidTimestamp(timestamp: unknown): InvalidTimestampError {
  const text = timestamp instanceof Date ? 'a Date' : String(timestamp);
  return new InvalidTimestampError(
    `the timestamp of a record must be a number of milliseconds since 1970, but was ${text}`,
    { timestamp: text },
    { hint: 'Return for example Date.parse(record.time), and filter out records without a time.' },
  );
}
