import { NO_TIMESTAMP } from './time.ts';

/** Records of one batch unless something says otherwise (256-4096 measured alike). */
export const BATCH_CAPACITY = 1_024;

/** Where the records of a batch came from, for messages about a record that failed. */
export interface RecordOrigin {
  /** Text such as `orders.jsonl, line 17` for the record at `index` of the batch it came in. */
  describe(index: number): string;
}

/**
 * Records in columns. Timestamps stand beside the values because a number in an object would be
 * allocated per record (15 ns against 3; see docs/internals/data-path.md).
 *
 * A batch handed over is not changed by its sender any more; its values belong to the receivers,
 * who must not change them either (they may be shared between several).
 */
export class Batch {
  readonly values: unknown[];
  readonly timestamps: Float64Array;
  /** On edges after `keyBy`: the key group of each record; else null. */
  keyGroups: Uint16Array | null = null;
  /** Where the records come from, if known; indexes count from the source batch. */
  origin: RecordOrigin | null = null;
  /** Records in use; at most `capacity`. */
  size = 0;

  constructor(capacity: number = BATCH_CAPACITY) {
    this.values = new Array(capacity);
    this.timestamps = new Float64Array(capacity);
  }

  get capacity(): number {
    return this.timestamps.length;
  }

  /** Adds a record; the caller has checked that `size < capacity`. */
  push(value: unknown, timestampMs: number): void {
    const at = this.size++;
    this.values[at] = value;
    this.timestamps[at] = timestampMs;
  }

  /** A batch of these values, without timestamps unless given. */
  static of(values: readonly unknown[], timestampsMs?: ArrayLike<number>): Batch {
    const batch = new Batch(values.length);
    for (let i = 0; i < values.length; i++)
      batch.push(values[i], timestampsMs?.[i] ?? NO_TIMESTAMP);
    return batch;
  }
}
