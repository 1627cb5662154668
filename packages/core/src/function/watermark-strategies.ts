import { MIN_WATERMARK } from '../element/time.ts';
import {
  BoundedOutOfOrderness,
  type WatermarkGenerator,
  type WatermarkStrategy,
} from './watermark-strategy.ts';

/** Everything of a strategy but its generator. */
export type WatermarkSettings<T> = Omit<WatermarkStrategy<T>, 'createGenerator'>;

/**
 * Records may come out of order by up to `boundMs` milliseconds: the watermark is the greatest
 * timestamp - `boundMs` - 1, per split.
 */
export function boundedOutOfOrderness<T>(
  boundMs: number,
  settings: WatermarkSettings<T> = {},
): WatermarkStrategy<T> {
  return { ...settings, createGenerator: () => new BoundedOutOfOrderness<T>(boundMs) };
}

/** The timestamps of each split never go back: the watermark is the greatest - 1. */
export function monotonic<T>(settings: WatermarkSettings<T> = {}): WatermarkStrategy<T> {
  return boundedOutOfOrderness(0, settings);
}

/**
 * Marks in the stream say how far event time is.
 *
 * @param watermarkOf called for every record; its result, if there is one, is the watermark: no
 *   later record of this split is at or before it
 */
export function punctuated<T>(
  watermarkOf: (value: T, timestampMs: number) => number | undefined,
  settings: WatermarkSettings<T> = {},
): WatermarkStrategy<T> {
  return { ...settings, createGenerator: () => new PunctuatedGenerator(watermarkOf) };
}

/** A generator of your own; `createGenerator` is called once per split. */
export function custom<T>(
  createGenerator: () => WatermarkGenerator<T>,
  settings: WatermarkSettings<T> = {},
): WatermarkStrategy<T> {
  return { ...settings, createGenerator };
}

class PunctuatedGenerator<T> implements WatermarkGenerator<T> {
  #watermarkMs = MIN_WATERMARK;
  readonly #watermarkOf: (value: T, timestampMs: number) => number | undefined;

  constructor(watermarkOf: (value: T, timestampMs: number) => number | undefined) {
    this.#watermarkOf = watermarkOf;
  }

  onRecord(value: T, timestampMs: number): number | undefined {
    const watermarkMs = this.#watermarkOf(value, timestampMs);
    if (watermarkMs !== undefined && watermarkMs > this.#watermarkMs) {
      this.#watermarkMs = watermarkMs;
    }
    return watermarkMs;
  }

  onPeriodic(): number {
    return this.#watermarkMs;
  }
}
