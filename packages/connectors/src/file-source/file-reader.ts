import type {
  CheckpointId,
  ReaderContext,
  SourceBatch,
  SourceReader,
} from '@millrace/core/connector';
import type { FileSplit } from './file-split.ts';
import { SplitReader, type SplitReaderOptions } from './split-reader.ts';

/**
 * Reads the splits it is given one after the other. As soon as one is in memory to its end, the
 * next is asked for and fetched, so that many small files cost no round trip each.
 */
export class FileReader<T> implements SourceReader<T, FileSplit> {
  readonly #context: ReaderContext;
  readonly #options: SplitReaderOptions<T>;
  readonly #deadLetters: { inc(by: number): void };
  readonly #readers: SplitReader<T>[] = [];
  #finished: string[] = [];
  #noMore = false;
  #isRequested = true; // the engine asks for the first one
  #hasNews = false;
  #resolve: () => void = () => {};

  constructor(
    context: ReaderContext,
    options: Omit<SplitReaderOptions<T>, 'fileSystem' | 'onProgress' | 'onSkipped'>,
  ) {
    this.#context = context;
    const skipped = context.metrics.counter('malformedRecordsSkipped');
    this.#deadLetters = context.metrics.counter('malformedRecordsDeadLettered');
    this.#options = {
      ...options,
      fileSystem: context.environment.fileSystem,
      onProgress: () => this.#onProgress(),
      onSkipped: () => skipped.inc(),
    };
  }

  poll(maxRecords: number): SourceBatch | 'wait' | 'end' {
    this.#hasNews = false;
    for (;;) {
      const reader = this.#readers[0];
      if (reader === undefined) {
        if (this.#noMore) return 'end';
        this.#prefetch();
        return 'wait';
      }
      const polled = reader.poll(maxRecords);
      const isDone = reader.isDone;
      if (isDone) {
        this.#finished.push(reader.splitId);
        this.#readers.shift();
        this.#prefetch();
      }
      if (polled !== null) {
        this.#deadLetters.inc(polled.deadLetters?.length ?? 0);
        return polled;
      }
      if (!isDone) return 'wait';
    }
  }

  available(): Promise<void> {
    if (this.#hasNews) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  addSplits(splits: readonly FileSplit[]): void {
    this.#isRequested = false;
    for (const split of splits) this.#readers.push(new SplitReader(split, this.#options));
    this.#prefetch();
    this.#wake();
  }

  noMoreSplits(): void {
    this.#noMore = true;
    this.#wake();
  }

  snapshot(_checkpointId: CheckpointId): FileSplit[] {
    return this.#readers.map((reader) => reader.position());
  }

  finishedSplits(): readonly string[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
    this.#wake();
  }

  #onProgress(): void {
    this.#prefetch();
    this.#wake();
  }

  #wake(): void {
    this.#hasNews = true;
    this.#resolve();
  }

  // Fetches the first split that is not in memory, and asks for one more if all are.
  #prefetch(): void {
    const next = this.#readers.find((reader) => !reader.isFetched);
    if (next !== undefined) next.start();
    else if (!this.#noMore && !this.#isRequested) {
      this.#isRequested = true;
      this.#context.requestSplits();
    }
  }
}
