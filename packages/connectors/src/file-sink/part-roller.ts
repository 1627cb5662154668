/** When a part is closed. Fields left out take the defaults. */
export type RollingPolicy =
  | 'onCheckpoint'
  | {
      /** A record that comes when the part is longer than this opens the next. Default 128 MB. */
      readonly maxPartBytes?: number;
      /** Age, counted from the first record. Default 60 s. */
      readonly rolloverMs?: number;
      /** Time since the last record. Default 60 s. */
      readonly inactivityMs?: number;
    };

/** A part that is being written, as far as rolling is concerned. */
export interface OpenPart {
  readonly bucket: string;
  /** Unique among the parts of one writer. */
  readonly counter: number;
  readonly createdAtMs: number;
  readonly lastWriteMs: number;
  readonly sizeBytes: number;
}

/** What a record means for the parts of its bucket. */
export interface PartChoice {
  /** Had to be closed first. */
  readonly closed: OpenPart | null;
  /** Takes the record. */
  readonly part: OpenPart;
  readonly isNew: boolean;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/**
 * Decides which part takes a record and when a part is closed. Pure: time and sizes are given.
 *
 *   (none) --record--> open --size at the next record | age or idleness at a tick
 *                        |         | checkpoint (policy) | end of input--> closed
 *                        +--record, size within the limit--> open
 *
 * R1. At most one part per bucket is open.
 * R2. The size is tested before a record is written, and a part of exactly the limit goes on: a
 *     part exceeds the limit by one record at most.
 * R3. Age counts from the creation, through a restore too. A restored part counts as not written
 *     to since its creation (as in Flink).
 * R4. `onCheckpoint` closes every part at every checkpoint and never otherwise; the other policy
 *     closes at a checkpoint what is longer than the limit.
 */
export class PartRoller {
  readonly #onCheckpoint: boolean;
  readonly #maxPartBytes: number;
  readonly #rolloverMs: number;
  readonly #inactivityMs: number;
  readonly #open = new Map<string, Mutable<OpenPart>>();
  #counter = 0;

  constructor(policy: RollingPolicy) {
    const limits = policy === 'onCheckpoint' ? {} : policy;
    this.#onCheckpoint = policy === 'onCheckpoint';
    this.#maxPartBytes = limits.maxPartBytes ?? 128 * 1024 * 1024;
    this.#rolloverMs = limits.rolloverMs ?? 60_000;
    this.#inactivityMs = limits.inactivityMs ?? 60_000;
  }

  /** All open parts, in the order of their creation. */
  get open(): readonly OpenPart[] {
    return [...this.#open.values()];
  }

  /** The part for a record that is about to be written to a bucket. */
  partFor(bucket: string, nowMs: number): PartChoice {
    const current = this.#open.get(bucket);
    if (current !== undefined && (this.#onCheckpoint || current.sizeBytes <= this.#maxPartBytes)) {
      return { closed: null, part: current, isNew: false };
    }
    const part = this.#part(bucket, nowMs, 0);
    this.#open.delete(bucket); // so that the order is that of the creation
    this.#open.set(bucket, part);
    return { closed: current ?? null, part, isNew: true };
  }

  /** `bytes` have been written to the open part of a bucket. */
  wrote(bucket: string, bytes: number, nowMs: number): void {
    const part = this.#open.get(bucket)!;
    part.sizeBytes += bytes;
    part.lastWriteMs = nowMs;
  }

  /**
   * A part of a restored checkpoint. After a rescale a writer can get several of one bucket: the
   * first goes on (`isOpen`), the others are closed at once.
   */
  restore(
    bucket: string,
    sizeBytes: number,
    createdAtMs: number,
  ): { readonly part: OpenPart; readonly isOpen: boolean } {
    const part = this.#part(bucket, createdAtMs, sizeBytes);
    const isOpen = !this.#open.has(bucket);
    if (isOpen) this.#open.set(bucket, part);
    return { part, isOpen };
  }

  /** @returns the parts closed because they are old or idle */
  onTick(nowMs: number): OpenPart[] {
    if (this.#onCheckpoint) return [];
    return this.#close(
      (part) =>
        nowMs - part.createdAtMs >= this.#rolloverMs ||
        nowMs - part.lastWriteMs >= this.#inactivityMs,
    );
  }

  /** @returns the parts closed by a checkpoint */
  onCheckpoint(): OpenPart[] {
    return this.#close((part) => this.#onCheckpoint || part.sizeBytes > this.#maxPartBytes);
  }

  /** @returns all parts: nothing more will be written */
  endInput(): OpenPart[] {
    return this.#close(() => true);
  }

  #part(bucket: string, createdAtMs: number, sizeBytes: number): Mutable<OpenPart> {
    const counter = this.#counter++;
    return { bucket, counter, createdAtMs, lastWriteMs: createdAtMs, sizeBytes };
  }

  #close(isDone: (part: OpenPart) => boolean): OpenPart[] {
    const closed = this.open.filter(isDone);
    for (const { bucket } of closed) this.#open.delete(bucket);
    return closed;
  }
}
