/** Before everything: the watermark of an input that has said nothing yet. */
export const MIN_WATERMARK = Number.NEGATIVE_INFINITY;
/** After everything: the watermark at the end of input, and the end of the global window. */
export const MAX_WATERMARK = Number.POSITIVE_INFINITY;
/** The timestamp of a record that has none. It is not equal to itself: test with `hasTimestamp`. */
export const NO_TIMESTAMP = Number.NaN;

/** Whether a record's timestamp is one. */
export function hasTimestamp(timestampMs: number): boolean {
  return !Number.isNaN(timestampMs);
}

/** @returns `count` seconds in milliseconds */
export function seconds(count: number): number {
  return count * 1_000;
}

/** @returns `count` minutes in milliseconds */
export function minutes(count: number): number {
  return count * 60_000;
}

/** @returns `count` hours in milliseconds */
export function hours(count: number): number {
  return count * 3_600_000;
}

/** @returns `count` days of 24 hours in milliseconds */
export function days(count: number): number {
  return count * 86_400_000;
}
