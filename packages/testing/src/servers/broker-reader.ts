import {
  Batch,
  type ReaderContext,
  type SourceBatch,
  type SourceReader,
} from '@millrace/core/connector';
import type { BrokerClient } from './broker-client.ts';
import type { BrokerRecord } from './broker-partition.ts';
import type { BrokerSourceOptions, BrokerSplit } from './broker-source.ts';
import { retryCall } from './retry-call.ts';

const FETCH_ATTEMPTS = 16;

interface Reading {
  /** Behind what `poll` has given. */
  split: BrokerSplit;
  /** Fetched and not given yet. */
  records: BrokerRecord[];
  /** Where the fetch of `records` ended. */
  nextOffset: number;
  isPaused: boolean;
}

/**
 * Reads partitions, one fetch ahead of `poll` for each.
 *
 * Q1. The position of a split moves in `poll` only, and behind the last record of a fetch it moves
 *     over what readers do not see (markers, aborted records).
 */
export class BrokerReader<T> implements SourceReader<T, BrokerSplit> {
  readonly #context: ReaderContext;
  readonly #client: BrokerClient;
  readonly #options: BrokerSourceOptions;
  #readings: Reading[] = [];
  #finished: string[] = [];
  #noMore = false;
  #hasAsked = false;
  #isClosed = false;
  #failure: unknown;
  #news = Promise.withResolvers<void>();

  constructor(context: ReaderContext, client: BrokerClient, options: BrokerSourceOptions) {
    this.#context = context;
    this.#client = client;
    this.#options = options;
  }

  poll(maxRecords: number): SourceBatch | 'wait' | 'end' {
    if (this.#failure !== undefined) throw this.#failure;
    this.#finish();
    const reading = this.#readings.find((one) => one.records.length > 0 && !one.isPaused);
    if (reading !== undefined) return this.#take(reading, maxRecords);
    if (this.#readings.length === 0) {
      if (this.#noMore) return 'end';
      if (!this.#hasAsked) this.#context.requestSplits();
      this.#hasAsked = true;
    }
    this.#news = Promise.withResolvers();
    return 'wait';
  }

  available(): Promise<void> {
    return this.#news.promise;
  }

  addSplits(splits: readonly BrokerSplit[]): void {
    for (const split of splits) {
      const reading = { split, records: [], nextOffset: split.offset, isPaused: false };
      this.#readings.push(reading);
      void this.#fetch(reading);
    }
    this.#news.resolve();
  }

  noMoreSplits(): void {
    this.#noMore = true;
    this.#news.resolve();
  }

  snapshot(): BrokerSplit[] {
    return this.#readings.map((reading) => reading.split);
  }

  finishedSplits(): readonly string[] {
    return this.#finished.splice(0);
  }

  pauseSplits(splitIds: readonly string[]): void {
    this.#setPaused(splitIds, true);
  }

  resumeSplits(splitIds: readonly string[]): void {
    this.#setPaused(splitIds, false);
    this.#news.resolve();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#news.resolve();
  }

  #take(reading: Reading, maxRecords: number): SourceBatch {
    const taken = reading.records.splice(0, maxRecords);
    // Q1.
    const offset = reading.records[0]?.offset ?? reading.nextOffset;
    reading.split = { ...reading.split, offset };
    // In turn: the other partitions first.
    this.#readings = [...this.#readings.filter((one) => one !== reading), reading];
    if (reading.records.length === 0 && !isRead(reading)) void this.#fetch(reading);
    const values = taken.map((record) => record.value);
    const timestamps = taken.map((record) => record.timestampMs);
    return { splitId: reading.split.splitId, batch: Batch.of(values, timestamps) };
  }

  // Until there are records, or the end of the split.
  async #fetch(reading: Reading): Promise<void> {
    const { topic, fetchRecords = 10, pollIntervalMs = 50 } = this.#options;
    const { scheduler } = this.#context.environment;
    const { partition, stopOffset } = reading.split;
    try {
      while (reading.records.length === 0 && !isRead(reading) && !this.#isClosed) {
        const from = reading.split.offset;
        const { records, nextOffset } = await retryCall(scheduler, FETCH_ATTEMPTS, () =>
          this.#client.fetch(topic, partition, from, fetchRecords),
        );
        const isBefore = ({ offset }: BrokerRecord) => stopOffset === null || offset < stopOffset;
        reading.records = records.filter(isBefore);
        reading.nextOffset = nextOffset;
        if (reading.records.length > 0) break;
        reading.split = { ...reading.split, offset: nextOffset };
        if (nextOffset > from) continue;
        await new Promise<void>((resolve) => void scheduler.after(pollIntervalMs, resolve));
      }
    } catch (error) {
      this.#failure = error;
    }
    this.#news.resolve();
  }

  #finish(): void {
    const read = this.#readings.filter(isRead);
    this.#readings = this.#readings.filter((reading) => !isRead(reading));
    this.#finished.push(...read.map((reading) => reading.split.splitId));
  }

  #setPaused(splitIds: readonly string[], isPaused: boolean): void {
    for (const reading of this.#readings) {
      if (splitIds.includes(reading.split.splitId)) reading.isPaused = isPaused;
    }
  }
}

function isRead({ split, records }: Reading): boolean {
  return split.stopOffset !== null && split.offset >= split.stopOffset && records.length === 0;
}
