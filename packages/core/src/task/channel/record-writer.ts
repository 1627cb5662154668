import { assert } from '../../base/assert.ts';
import { StreamError } from '../../base/errors.ts';
import { Batch, type RecordOrigin } from '../../element/batch.ts';
import type { StreamElement } from '../../element/element.ts';
import { keyGroupOf, subtaskOf } from '../../element/key-group.ts';
import type { Partitioning } from '../../graph/stream-graph.ts';
import type { Output } from '../operator/operator.ts';
import type { ChannelSender } from './channel.ts';

/** A custom partitioner chose a subtask that does not exist. */
export class InvalidPartitionError extends StreamError<{ partitioner: string; chosen: unknown }> {
  static override readonly code = 'INVALID_PARTITION';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/** Something that is full or not; the head of the chain looks between two records. */
export interface StopSignal {
  /** True: take no more input now. */
  stop: boolean;
}

/** What a writer needs to know. */
export interface RecordWriterOptions {
  readonly channels: readonly ChannelSender[];
  readonly partitioning: Partitioning;
  /** Of the vertex downstream, for key groups. */
  readonly maxParallelism: number;
  /** First target of a round robin, so that subtasks do not all begin at the same one. */
  readonly subtaskIndex: number;
  readonly batchSize: number;
  readonly stopSignal: StopSignal;
}

/**
 * The end of a chain: puts records into batches, one batch in the making per channel.
 *
 * W1. Watermarks, barriers and the like go to every channel, behind all records emitted before.
 * W2. A record of key group g goes to the subtask that owns g, and carries g.
 */
export class RecordWriter implements Output {
  readonly #channels: readonly ChannelSender[];
  readonly #batches: (Batch | null)[];
  readonly #batchSize: number;
  readonly #signal: StopSignal;
  readonly #select: (value: unknown) => number;
  readonly #toAll: boolean;
  readonly #maxParallelism: number;
  #keyGroup = -1;
  /** Of the batch that is being processed; copied to what is emitted from it. */
  origin: RecordOrigin | null = null;
  recordsOut = 0;

  constructor(options: RecordWriterOptions) {
    this.#channels = options.channels;
    this.#batches = options.channels.map(() => null);
    this.#batchSize = options.batchSize;
    this.#signal = options.stopSignal;
    this.#maxParallelism = options.maxParallelism;
    this.#toAll = options.partitioning.kind === 'broadcast';
    this.#select = this.#selector(options.partitioning, options.subtaskIndex);
  }

  emit(value: unknown, timestampMs: number): void {
    this.recordsOut++;
    if (this.#toAll) {
      for (let i = 0; i < this.#channels.length; i++) this.#append(i, value, timestampMs);
    } else {
      this.#append(this.#select(value), value, timestampMs);
    }
  }

  /** Sends what is collected. Called at the end of a turn and before every control element. */
  flush(): void {
    for (let i = 0; i < this.#batches.length; i++) if (this.#batches[i] !== null) this.#send(i);
  }

  /** W1. */
  broadcast(element: StreamElement): void {
    this.flush();
    for (const channel of this.#channels) channel.send(element);
  }

  isFull(): boolean {
    for (const channel of this.#channels) if (channel.isFull) return true;
    return false;
  }

  #append(target: number, value: unknown, timestampMs: number): void {
    let batch = this.#batches[target]!;
    if (batch === null) {
      batch = new Batch(this.#batchSize);
      batch.origin = this.origin === null ? null : new ForwardedOrigin(this.origin);
      if (this.#keyGroup >= 0) batch.keyGroups = new Uint16Array(this.#batchSize);
      this.#batches[target] = batch;
    }
    if (this.#keyGroup >= 0) batch.keyGroups![batch.size] = this.#keyGroup;
    batch.push(value, timestampMs);
    if (batch.size === this.#batchSize) this.#send(target);
  }

  #send(target: number): void {
    const channel = this.#channels[target]!;
    channel.send({ kind: 'batch', batch: this.#batches[target]! });
    this.#batches[target] = null;
    if (channel.isFull) this.#signal.stop = true;
  }

  #selector(partitioning: Partitioning, subtaskIndex: number): (value: unknown) => number {
    const count = this.#channels.length;
    switch (partitioning.kind) {
      case 'forward':
        assert(count === 1, 'a forward edge has one channel');
        return () => 0;
      case 'broadcast':
        return () => 0;
      case 'hash':
        return (value) => {
          this.#keyGroup = keyGroupOf(partitioning.keyOf(value), this.#maxParallelism);
          return subtaskOf(this.#keyGroup, this.#maxParallelism, count);
        };
      case 'rebalance':
      case 'rescale': {
        let next = subtaskIndex % count;
        return () => {
          const target = next;
          next = next + 1 === count ? 0 : next + 1;
          return target;
        };
      }
      case 'custom':
        return (value) => {
          const chosen = partitioning.partition(value, count);
          if (Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen;
          throw new InvalidPartitionError(
            `partitioner "${partitioning.name}" chose subtask ${String(chosen)} of ${count}`,
            { partitioner: partitioning.name, chosen },
            { hint: 'Return an integer from 0 to parallelism - 1.' },
          );
        };
    }
  }
}

// Behind a partitioner the place in the source batch is lost: what is known is where the first
// record of the batch came from.
class ForwardedOrigin implements RecordOrigin {
  readonly #origin: RecordOrigin;

  constructor(origin: RecordOrigin) {
    this.#origin = origin;
  }

  describe(): string {
    return `${this.#origin.describe(0)} or soon after`;
  }
}
