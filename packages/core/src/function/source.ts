import type { Batch } from '../element/batch.ts';
import type { CheckpointId } from '../element/element.ts';
import type { Environment } from '../base/environment.ts';
import type { MetricGroup } from '../metrics/registry.ts';

/**
 * Where records come from, in the shape of Flink's FLIP-27. Anyone can write one.
 *
 * An *enumerator* (one per source) discovers splits and assigns them; *readers* (one per subtask)
 * read them. A split is plain data (tagged JSON) and holds its own position, so that a snapshot of
 * a reader is the list of its splits.
 */
export interface Source<T, Split extends SourceSplit = SourceSplit, EnumeratorState = unknown> {
  /** Short name for plans and messages, for example `files`. */
  readonly name: string;
  /** `bounded`: it ends by itself. */
  readonly boundedness: 'bounded' | 'continuous';
  /** What can be promised after a failure. `at-least-once` sources cannot go back exactly. */
  readonly delivery: 'exactly-once' | 'at-least-once';
  /** @param restored what `snapshot` returned in the checkpoint that is restored */
  createEnumerator(
    context: EnumeratorContext<Split>,
    restored: EnumeratorState | undefined,
  ): SplitEnumerator<Split, EnumeratorState>;
  createReader(context: ReaderContext): SourceReader<T, Split>;
}

/** A part of the input that is read in order. */
export interface SourceSplit {
  /** Unique within the source, stable over restarts. */
  readonly splitId: string;
}

/** What an enumerator may do. All calls may come from any of its methods or promises. */
export interface EnumeratorContext<Split> {
  readonly environment: Environment;
  /** The source's uid, for messages; tests may leave it out. */
  readonly operatorUid?: string;
  readonly parallelism: number;
  /** Gives splits to a reader; the next snapshot of that reader holds them. */
  assignSplits(subtaskIndex: number, splits: readonly Split[]): void;
  /** Tells a reader that it will get no more; with no split left it ends. */
  signalNoMoreSplits(subtaskIndex: number): void;
  /** Fails the job (restart strategy applies). */
  fail(error: unknown): void;
}

/**
 * Discovers splits. Its methods are called one at a time; an asynchronous one must not change what
 * `snapshot` returns before its result is used (changes and assignments happen in one turn).
 */
export interface SplitEnumerator<Split, State> {
  /** Called once, after a restore too. */
  start(): void;
  /** A reader has nothing to read. */
  onSplitRequest(subtaskIndex: number): void;
  /** Splits of a restored checkpoint, to be assigned again (the parallelism may have changed). */
  addSplitsBack(splits: readonly Split[]): void;
  /** What is not assigned, and what has been seen. Plain data. Synchronous. */
  snapshot(checkpointId: CheckpointId): State;
  notifyCheckpointComplete?(checkpointId: CheckpointId): void;
  close(): void;
}

/** What a reader may do. */
export interface ReaderContext {
  readonly environment: Environment;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly metrics: MetricGroup;
  /** Asks the enumerator for splits. */
  requestSplits(): void;
}

/** Records of one split, in order. */
export interface SourceBatch {
  readonly splitId: string;
  readonly batch: Batch;
  /** Malformed input for the dead-letter output; only if the source was told to produce it. */
  readonly deadLetters?: readonly DeadLetter[];
}

/** Name of the side output of a source that carries `DeadLetter`s. */
export const DEAD_LETTERS = 'dead-letters';

/** An input that could not be decoded. */
export interface DeadLetter {
  readonly raw: string;
  readonly error: string;
  /** For example `orders.jsonl, line 17`. */
  readonly origin: string;
}

/**
 * Reads splits. `poll` never waits: I/O happens behind it, in promises of the injected drivers.
 *
 * R1. After a `poll` returned a batch, `snapshot` counts all of its records as read.
 * R2. `snapshot` between two polls is the exact position: restored, the next record is the first
 *     one not yet returned.
 */
export interface SourceReader<T, Split> {
  /** @returns a batch, `wait` (call again after `available`), or `end` (nothing will come) */
  poll(maxRecords: number): SourceBatch | 'wait' | 'end';
  /** Resolves when `poll` is worth calling. Called only after `wait`. */
  available(): Promise<void>;
  addSplits(splits: readonly Split[]): void;
  noMoreSplits(): void;
  /** Positions of all splits held and not finished. Synchronous, plain data. */
  snapshot(checkpointId: CheckpointId): Split[];
  notifyCheckpointComplete?(checkpointId: CheckpointId): void;
  /** A finished split leaves the watermark of the source. Called after each poll. */
  finishedSplits(): readonly string[];
  /** For alignment: splits that must rest because they are too far ahead. */
  pauseSplits?(splitIds: readonly string[]): void;
  resumeSplits?(splitIds: readonly string[]): void;
  close(): Promise<void>;
  /** Only for the compiler. Never set. */
  readonly recordType?: T;
}
