import { InvalidOptionError } from '../base/invalid-option-error.ts';
import { boundedOutOfOrderness } from '../function/watermark-strategies.ts';
import type { WatermarkAlignment, WatermarkStrategy } from '../function/watermark-strategy.ts';

/** How event time is read from the records of a stream. */
export interface EventTimeOptions<T> {
  /** Milliseconds since 1970 of a record. Default: the timestamp that the source gave. */
  readonly timestamp?: (value: T, sourceTimestampMs: number) => number;
  /** How much later than a record an older one may come. Default 0. Not beside `strategy`. */
  readonly maxOutOfOrdernessMs?: number;
  /** Another way to make watermarks: `punctuated(...)`, `custom(...)`. */
  readonly strategy?: WatermarkStrategy<T>;
  /** A split that is silent for so long does not hold back the others. Default: never idle. */
  readonly idleAfterMs?: number;
  /** Splits and sources of one group wait for each other. Only directly on a source. */
  readonly alignment?: WatermarkAlignment;
}

/**
 * @returns one strategy out of the options; they win over what `strategy` says itself
 * @throws InvalidOptionError
 */
export function watermarkStrategyOf<T>(options: EventTimeOptions<T>): WatermarkStrategy<T> {
  const { timestamp, maxOutOfOrdernessMs, strategy, idleAfterMs, alignment } = options;
  if (maxOutOfOrdernessMs !== undefined) {
    if (strategy !== undefined) {
      throw new InvalidOptionError(
        'maxOutOfOrdernessMs',
        maxOutOfOrdernessMs,
        'must not stand beside strategy',
      );
    }
    if (!(Number.isFinite(maxOutOfOrdernessMs) && maxOutOfOrdernessMs >= 0)) {
      throw new InvalidOptionError('maxOutOfOrdernessMs', maxOutOfOrdernessMs, 'must be 0 or more');
    }
  }
  if (idleAfterMs !== undefined && !(idleAfterMs > 0)) {
    throw new InvalidOptionError('idleAfterMs', idleAfterMs, 'must be above 0');
  }
  if (alignment !== undefined && !(alignment.maxDriftMs >= 0)) {
    throw new InvalidOptionError('maxDriftMs', alignment.maxDriftMs, 'must be 0 or more');
  }
  return {
    ...(strategy ?? boundedOutOfOrderness<T>(maxOutOfOrdernessMs ?? 0)),
    ...(timestamp !== undefined && { timestamp }),
    ...(idleAfterMs !== undefined && { idleAfterMs }),
    ...(alignment !== undefined && { alignment }),
  };
}
