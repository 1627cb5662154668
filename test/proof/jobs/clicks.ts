// Input of the proof's jobs: made from split and place alone, read from memory, all splits at once.
import type { Flow, SourceStream } from '@millrace/core';
import {
  Batch,
  type EnumeratorContext,
  type ReaderContext,
  type Source,
  type SourceBatch,
  type SourceReader,
  type SourceSplit,
  type SplitEnumerator,
} from '@millrace/core/connector';

/** What the input is made of. */
export interface Click {
  /** Unique in the input. */
  readonly id: string;
  readonly user: string;
  readonly at: number;
  readonly points: number;
}

/** How much and what. */
export interface ClickOptions {
  readonly splits: number;
  /** Per split. */
  readonly count: number;
  /** Users of different splits are different: then the order per user is that of its split. */
  readonly ownUsers?: boolean;
  /** One record in so many comes so late that windows may have closed; 0 (default): none. */
  readonly lateEvery?: number;
}

/** Time between two records of a split, and by how much they are out of order at most. */
export const STEP_MS = 40;
export const DISORDER_MS = 90;
/** Few, so that a crash can come between any two records. */
const RECORDS_PER_POLL = 1;
/** How much later than it should a late record comes. */
export const LATE_MS = 1_500;

const USERS = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gil'];

interface ClickSplit extends SourceSplit {
  readonly split: number;
  readonly offset: number;
}

/** The record at a place. */
export function clickAt(split: number, index: number, options: ClickOptions): Click {
  const name = USERS[(index * 5 + split * 3 + (index >> 3)) % USERS.length]!;
  const disorder = (index * 37 + split * 11) % DISORDER_MS;
  const isLate = (options.lateEvery ?? 0) > 0 && (index + split) % options.lateEvery! === 7;
  return {
    id: `${split}-${index}`,
    user: options.ownUsers ? `${name}${split}` : name,
    at: Math.max(0, index * STEP_MS + disorder - (isLate ? LATE_MS : 0)),
    points: 1 + ((index + split) % 4),
  };
}

/** All records, split by split. */
export function allClicks(options: ClickOptions): Click[] {
  return Array.from({ length: options.splits * options.count }, (_, i) =>
    clickAt(Math.floor(i / options.count), i % options.count, options),
  );
}

/** The stream of clicks, with event time; nothing is late but what is meant to be. */
export function clicks(flow: Flow, uid: string, options: ClickOptions): SourceStream<Click> {
  return flow
    .from(uid, clickSource(options))
    .eventTime({ timestamp: (click) => click.at, maxOutOfOrdernessMs: DISORDER_MS });
}

function clickSource(options: ClickOptions): Source<Click, ClickSplit, readonly ClickSplit[]> {
  return {
    name: 'clicks',
    boundedness: 'bounded',
    delivery: 'exactly-once',
    createEnumerator: (context, restored) => new SplitsByReader(context, restored, options.splits),
    createReader: (context) => new ClickReader(context, options),
  };
}

// Each reader gets its share at once: a split that is begun when others are at their end would have
// late records only.
class SplitsByReader implements SplitEnumerator<ClickSplit, readonly ClickSplit[]> {
  readonly #context: EnumeratorContext<ClickSplit>;
  #pending: readonly ClickSplit[];

  constructor(
    context: EnumeratorContext<ClickSplit>,
    restored: readonly ClickSplit[] | undefined,
    splits: number,
  ) {
    this.#context = context;
    const fresh = Array.from({ length: splits }, (_, split) => ({
      splitId: `s${split}`,
      split,
      offset: 0,
    }));
    this.#pending = restored ?? fresh;
  }

  start(): void {}

  onSplitRequest(subtaskIndex: number): void {
    const isOwn = ({ split }: ClickSplit): boolean =>
      split % this.#context.parallelism === subtaskIndex;
    const own = this.#pending.filter(isOwn);
    this.#pending = this.#pending.filter((split) => !isOwn(split));
    if (own.length > 0) this.#context.assignSplits(subtaskIndex, own);
    else this.#context.signalNoMoreSplits(subtaskIndex);
  }

  addSplitsBack(splits: readonly ClickSplit[]): void {
    this.#pending = [...splits, ...this.#pending];
  }

  snapshot(): readonly ClickSplit[] {
    return this.#pending;
  }

  close(): void {}
}

class ClickReader implements SourceReader<Click, ClickSplit> {
  readonly #context: ReaderContext;
  readonly #options: ClickOptions;
  #splits: ClickSplit[] = [];
  #finished: string[] = [];
  #isAsking = true;
  #noMore = false;
  #wake: () => void = () => {};

  constructor(context: ReaderContext, options: ClickOptions) {
    this.#context = context;
    this.#options = options;
  }

  poll(maxRecords: number): SourceBatch | 'wait' | 'end' {
    const current = this.#splits.shift();
    if (current === undefined) {
      if (this.#noMore) return 'end';
      if (!this.#isAsking) {
        this.#isAsking = true;
        this.#context.requestSplits();
      }
      return 'wait';
    }
    const { split, offset, splitId } = current;
    const end = Math.min(this.#options.count, offset + Math.min(RECORDS_PER_POLL, maxRecords));
    const batch = new Batch(Math.max(1, end - offset));
    for (let at = offset; at < end; at++) batch.push(clickAt(split, at, this.#options), Number.NaN);
    if (end < this.#options.count) this.#splits.push({ splitId, split, offset: end });
    else this.#finished.push(splitId);
    return { splitId, batch };
  }

  available(): Promise<void> {
    if (this.#splits.length > 0 || this.#noMore) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  addSplits(splits: readonly ClickSplit[]): void {
    this.#isAsking = false;
    this.#splits.push(...splits);
    this.#wake();
  }

  noMoreSplits(): void {
    this.#noMore = true;
    this.#wake();
  }

  snapshot(): ClickSplit[] {
    return [...this.#splits];
  }

  finishedSplits(): readonly string[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  async close(): Promise<void> {
    this.#wake();
  }
}
