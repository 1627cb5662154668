import type { Key } from '../element/key.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import { InvalidOptionError } from '../base/invalid-option-error.ts';
import type { Emitter, FunctionContext, TypeHint } from './process-function.ts';
import type { WindowContext } from './window.ts';

/** A pair in hand. What is emitted has the greater of both timestamps unless told otherwise. */
export interface JoinContext<Out> extends FunctionContext, Emitter<Out> {
  readonly leftTimestampMs: number;
  readonly rightTimestampMs: number;
}

/** Called for each pair of records of one key whose times are near enough. Synchronous. */
export interface IntervalJoinFunction<Left, Right, Out> {
  readonly output?: TypeHint<Out>;
  onPair(left: Left, right: Right, context: JoinContext<Out>): void;
}

/**
 * A pair is joined if `lowerMs <= right - left <= upperMs` in event time.
 *
 * Records of either side are kept until no partner can come any more.
 */
export interface JoinInterval {
  readonly lowerMs: number;
  readonly upperMs: number;
  /** Default true. */
  readonly lowerInclusive?: boolean;
  /** Default true. */
  readonly upperInclusive?: boolean;
}

/** @throws InvalidOptionError unless both bounds are whole and lower is at most upper */
export function checkJoinInterval({ lowerMs, upperMs }: JoinInterval): void {
  if (!Number.isSafeInteger(lowerMs)) {
    throw new InvalidOptionError('lowerMs', lowerMs, 'must be a whole number of milliseconds');
  }
  if (!Number.isSafeInteger(upperMs)) {
    throw new InvalidOptionError('upperMs', upperMs, 'must be a whole number of milliseconds');
  }
  if (lowerMs > upperMs) {
    throw new InvalidOptionError('lowerMs', lowerMs, `must be at most upperMs (${upperMs})`);
  }
}

/** Called with all records of both sides of one key and window; either may be empty. */
export interface CoGroupFunction<K extends Key, Left, Right, Out> {
  readonly output?: TypeHint<Out>;
  onWindow(
    left: readonly Left[],
    right: readonly Right[],
    context: WindowContext<K, StateDescriptors, Out>,
  ): void;
}
