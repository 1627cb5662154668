import { StreamError } from '../../base/errors.ts';
import type { Window, WindowAssigner } from '../../function/window.ts';

/** A record without a usable timestamp came to a window of event time. */
export class MissingTimestampError extends StreamError<{ timestampMs: number }> {
  static override readonly code = 'MISSING_TIMESTAMP';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/** The gap of a session that depends on its records is not above zero. */
export class InvalidSessionGapError extends StreamError<{ gapMs: number }> {
  static override readonly code = 'INVALID_SESSION_GAP';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/** The only window of a global assigner. */
export const GLOBAL_WINDOW: Window = {
  startMs: Number.NEGATIVE_INFINITY,
  endMs: Number.POSITIVE_INFINITY,
};

/** @returns the greatest `offsetMs + n * stepMs` that is at most `timeMs`; exact below 2^53 */
export function gridStart(timeMs: number, offsetMs: number, stepMs: number): number {
  const beyond = (timeMs - offsetMs) % stepMs;
  return beyond < 0 ? timeMs - beyond - stepMs : timeMs - beyond;
}

/**
 * The windows of one record, before sessions are merged. Pure. Sliding windows come latest first,
 * as in Flink.
 *
 * @param timeMs the record's timestamp, or the clock in windows of processing time
 * @throws MissingTimestampError in windows of time if `timeMs` is not finite
 * @throws InvalidSessionGapError
 *
 * Cost: O(windows), one object each.
 */
export function assignWindows(
  assigner: WindowAssigner,
  value: unknown,
  timeMs: number,
): readonly Window[] {
  if (assigner.kind === 'global') return [GLOBAL_WINDOW];
  if (!Number.isFinite(timeMs)) throw missingTimestamp(timeMs);
  switch (assigner.kind) {
    case 'tumbling': {
      const startMs = gridStart(timeMs, assigner.offsetMs, assigner.sizeMs);
      return [{ startMs, endMs: startMs + assigner.sizeMs }];
    }
    case 'sliding': {
      const { sizeMs, slideMs, offsetMs } = assigner;
      const windows: Window[] = [];
      let startMs = gridStart(timeMs, offsetMs, slideMs);
      for (; startMs > timeMs - sizeMs; startMs -= slideMs) {
        windows.push({ startMs, endMs: startMs + sizeMs });
      }
      return windows;
    }
    case 'session':
      return [{ startMs: timeMs, endMs: timeMs + assigner.gapMs }];
    case 'dynamicSession':
      return [{ startMs: timeMs, endMs: timeMs + checkedGap(assigner.gapMs(value)) }];
  }
}

/** When state and timers of a window go: `maxTimestamp`, plus the lateness in event time. */
export function cleanupTime(window: Window, isEventTime: boolean, latenessMs: number): number {
  return isEventTime ? window.endMs - 1 + latenessMs : window.endMs - 1;
}

/** @returns the error for a record whose time is NaN or infinite */
export function missingTimestamp(timestampMs: number): MissingTimestampError {
  const what = timestampMs === Number.POSITIVE_INFINITY ? 'the timestamp Infinity' : 'no timestamp';
  return new MissingTimestampError(
    `a window of event time got a record with ${what}`,
    { timestampMs },
    {
      hint:
        timestampMs === Number.POSITIVE_INFINITY
          ? 'Results of a global window have no time of their own: emit them with a timestamp.'
          : 'Assign timestamps with eventTime({ timestamp }) before the window.',
    },
  );
}

/** @throws InvalidSessionGapError unless the gap is above zero and finite */
export function checkedGap(gapMs: number): number {
  if (gapMs > 0 && Number.isFinite(gapMs)) return gapMs;
  throw new InvalidSessionGapError(
    `the gap of a session must be above 0 ms, but was ${gapMs}`,
    { gapMs },
    { hint: 'Return a number of milliseconds above 0 from the function given to dynamicSession.' },
  );
}
