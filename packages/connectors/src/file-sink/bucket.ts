import { hasTimestamp } from '@millrace/core/connector';

/** What a bucket may depend on besides the record. */
export interface BucketContext {
  /** NaN if the record has none. */
  readonly timestampMs: number;
  /** Wall clock. */
  nowMs(): number;
}

/** Chooses the folder of a record below the sink's directory; `''` is the directory itself. */
export type BucketOf<T> = (value: T, context: BucketContext) => string;

const MINUTE_MS = 60_000;

/**
 * Buckets by the record's timestamp (wall clock if it has none), in UTC.
 *
 * @param pattern `yyyy`, `MM`, `dd`, `HH` and `mm` are replaced, the rest stays:
 *   `'yyyy-MM-dd/HH'` or `'dt=yyyy-MM-dd'`. Letters of other words must not form these.
 */
export function bucketByTime(pattern: string): BucketOf<unknown> {
  let minute = Number.NaN;
  let bucket = '';
  return (_value, { timestampMs, nowMs }) => {
    const timeMs = hasTimestamp(timestampMs) ? timestampMs : nowMs();
    const itsMinute = Math.floor(timeMs / MINUTE_MS);
    if (itsMinute !== minute) {
      minute = itsMinute;
      bucket = formatUtc(pattern, timeMs);
    }
    return bucket;
  };
}

function formatUtc(pattern: string, timeMs: number): string {
  const iso = new Date(timeMs).toISOString(); // 2026-11-25T01:54:23.000Z; ±yyyyyy for far years
  const at = iso.indexOf('T');
  const [, year, month, day] = /^([+-]?\d+)-(\d\d)-(\d\d)$/.exec(iso.slice(0, at))!;
  const fields: Record<string, string> = {
    yyyy: year!,
    MM: month!,
    dd: day!,
    HH: iso.slice(at + 1, at + 3),
    mm: iso.slice(at + 4, at + 6),
  };
  return pattern.replace(/yyyy|MM|dd|HH|mm/g, (field) => fields[field]!);
}
