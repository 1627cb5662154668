import { NO_TIMESTAMP } from '@millrace/core/host';

/** What an operator is given. */
export type HarnessInput =
  | {
      readonly kind: 'record';
      readonly value: unknown;
      /** NaN: it has none. */
      readonly timestampMs: number;
      readonly input: number;
      /** As an expectation: the side output it comes out of; null = the main output. */
      readonly side: string | null;
    }
  /** `input` null: on all inputs. */
  | { readonly kind: 'watermark'; readonly timeMs: number; readonly input: number | null }
  | { readonly kind: 'status'; readonly idle: boolean; readonly input: number | null }
  /** Moves the processing-time clock; absolute. */
  | { readonly kind: 'clock'; readonly timeMs: number }
  /** Event time runs to its end, then all inputs end. */
  | { readonly kind: 'endOfInput' };

/** What came out of an operator. */
export type HarnessOutput =
  | {
      readonly kind: 'record';
      readonly value: unknown;
      readonly timestampMs: number;
      readonly side: string | null;
      readonly subtask: number;
    }
  | { readonly kind: 'watermark'; readonly timeMs: number; readonly subtask: number }
  | { readonly kind: 'status'; readonly idle: boolean; readonly subtask: number };

/** A record given to `input`, or expected on the main output. */
export function record(
  value: unknown,
  timestampMs: number = NO_TIMESTAMP,
  input = 0,
): HarnessInput & { kind: 'record' } {
  return { kind: 'record', value, timestampMs, input, side: null };
}

/** A record expected on the side output of that name. */
export function sideRecord(
  side: string,
  value: unknown,
  timestampMs: number = NO_TIMESTAMP,
): HarnessInput & { kind: 'record' } {
  return { kind: 'record', value, timestampMs, input: 0, side };
}

/** Event time has come to `timeMs` on one input, or on all. */
export function watermark(
  timeMs: number,
  input: number | null = null,
): HarnessInput & { kind: 'watermark' } {
  return { kind: 'watermark', timeMs, input };
}

/** An input (or all) says nothing for now, and must not hold back the others. */
export function idle(input: number | null = null): HarnessInput {
  return { kind: 'status', idle: true, input };
}

/** An input (or all) is back. */
export function active(input: number | null = null): HarnessInput {
  return { kind: 'status', idle: false, input };
}

/** Processing time is now `timeMs`. */
export function clock(timeMs: number): HarnessInput {
  return { kind: 'clock', timeMs };
}

/** The end of all inputs, after the last watermark. */
export function endOfInput(): HarnessInput {
  return { kind: 'endOfInput' };
}
