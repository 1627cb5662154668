import {
  Batch,
  type Cancel,
  type CheckpointId,
  type ReaderContext,
  type SourceBatch,
  type SourceReader,
  type SourceSplit,
} from '@millrace/core/connector';

/** What one step of a generator came to. */
export interface GeneratorStep<Split> {
  /** The split behind the records made; null: it has ended. */
  readonly split: Split | null;
  /** If nothing was made: when to ask again. */
  readonly waitMs: number;
}

/**
 * Makes records of a split without I/O: adds up to `maxRecords` to the batch.
 *
 * The step's split is a new object; the one given is not changed.
 */
export type Generate<Split> = (
  split: Split,
  batch: Batch,
  maxRecords: number,
) => GeneratorStep<Split>;

/** Reads splits whose records are made in the process, in turn, one batch from each. */
export class GeneratingReader<T, Split extends SourceSplit> implements SourceReader<T, Split> {
  readonly #context: ReaderContext;
  readonly #generate: Generate<Split>;
  #splits: Split[] = [];
  #finished: string[] = [];
  #requested = true; // the engine asks for the first ones
  #noMore = false;
  #waitMs = Number.POSITIVE_INFINITY;
  #hasNews = false;
  #resolve: () => void = () => {};
  #cancel: Cancel = () => {};

  constructor(context: ReaderContext, generate: Generate<Split>) {
    this.#context = context;
    this.#generate = generate;
  }

  poll(maxRecords: number): SourceBatch | 'wait' | 'end' {
    this.#hasNews = false;
    this.#waitMs = Number.POSITIVE_INFINITY;
    for (let tries = this.#splits.length; tries > 0; tries--) {
      const split = this.#splits.shift()!;
      const batch = new Batch(maxRecords);
      const step = this.#generate(split, batch, maxRecords);
      if (step.split === null) this.#finished.push(split.splitId);
      else this.#splits.push(step.split);
      if (batch.size > 0) return { splitId: split.splitId, batch };
      if (step.split !== null) this.#waitMs = Math.min(this.#waitMs, step.waitMs);
    }
    if (this.#splits.length > 0) return 'wait';
    if (this.#noMore) return 'end';
    if (!this.#requested) {
      this.#requested = true;
      this.#context.requestSplits();
    }
    return 'wait';
  }

  available(): Promise<void> {
    this.#cancel();
    if (this.#hasNews) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
      if (this.#waitMs === Number.POSITIVE_INFINITY) return;
      this.#cancel = this.#context.environment.scheduler.after(this.#waitMs, resolve);
    });
  }

  addSplits(splits: readonly Split[]): void {
    this.#requested = false;
    this.#splits.push(...splits);
    this.#wake();
  }

  noMoreSplits(): void {
    this.#noMore = true;
    this.#wake();
  }

  snapshot(_checkpointId: CheckpointId): Split[] {
    return [...this.#splits];
  }

  finishedSplits(): readonly string[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  async close(): Promise<void> {
    this.#cancel();
    this.#wake();
  }

  #wake(): void {
    this.#hasNews = true;
    this.#resolve();
  }
}
