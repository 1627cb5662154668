/** Makes watermarks from the records of one split. State is not in checkpoints (as in Flink). */
export interface WatermarkGenerator<T> {
  /** Called for every record; may return a new watermark at once (punctuated), else undefined. */
  onRecord(value: T, timestampMs: number): number | undefined;
  /** If there is one, it is called once per batch instead of `onRecord` per record. */
  onBatch?(maxTimestampMs: number): void;
  /** Called after every batch and every `watermarkIntervalMs`: the watermark now. */
  onPeriodic(): number;
}

/** How event time is read from records. */
export interface WatermarkStrategy<T> {
  /** Milliseconds since 1970 of the record; left out: the timestamp that the source gave. */
  readonly timestamp?: (value: T, sourceTimestampMs: number) => number;
  /** One generator per split. */
  createGenerator(): WatermarkGenerator<T>;
  /** A split that is silent for so long does not hold back the others. Default: never idle. */
  readonly idleAfterMs?: number;
  /** Sources of one group wait for each other. */
  readonly alignment?: WatermarkAlignment;
}

/** Splits whose watermark is more than `maxDriftMs` ahead of the group's minimum pause. */
export interface WatermarkAlignment {
  readonly group: string;
  readonly maxDriftMs: number;
  /** Default 1 000. */
  readonly updateIntervalMs?: number;
}

/** Watermark = greatest timestamp - bound - 1 ms, never going back. */
export class BoundedOutOfOrderness<T> implements WatermarkGenerator<T> {
  #maxMs = Number.NEGATIVE_INFINITY;
  readonly #boundMs: number;

  constructor(boundMs: number) {
    this.#boundMs = boundMs;
  }

  onRecord(_value: T, timestampMs: number): undefined {
    if (timestampMs > this.#maxMs) this.#maxMs = timestampMs;
    return undefined;
  }

  onBatch(maxTimestampMs: number): void {
    if (maxTimestampMs > this.#maxMs) this.#maxMs = maxTimestampMs;
  }

  onPeriodic(): number {
    return this.#maxMs - this.#boundMs - 1;
  }
}
