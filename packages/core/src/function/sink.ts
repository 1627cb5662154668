import type { Environment } from '../base/environment.ts';
import type { CheckpointId } from '../element/element.ts';
import type { MetricGroup } from '../metrics/registry.ts';

/**
 * Where records go, in the shape of Flink's Sink V2. Anyone can write one.
 *
 *   writer: write* -> prepareCommit -> persist -> (checkpoint durable) -> committer: commit
 *
 * K1. Output becomes visible only by `commit`, and commit comes only after the checkpoint that
 *     holds the committable is durable.
 * K2. A committable may be committed again after a crash: the second commit changes nothing.
 * K3. What was written after the last completed checkpoint of a dead attempt is never committed.
 */
export interface Sink<in T, WriterState = unknown, Committable = unknown> {
  readonly name: string;
  readonly delivery: 'exactly-once' | 'at-least-once';
  /** @param restored writer states of the checkpoint; after a rescale any number of them */
  createWriter(
    context: SinkContext,
    restored: readonly WriterState[],
  ): SinkWriter<T, WriterState, Committable>;
  /** Left out: a sink without a second phase (at-least-once). */
  createCommitter?(context: SinkContext): Committer<Committable>;
  /**
   * Called once per attempt before the first record, after the restored committables have been
   * committed: removes what dead attempts left behind, except what `live` names.
   */
  recover?(context: SinkContext, live: readonly WriterState[]): Promise<void>;
}

/** Who a writer or committer is; parts of the names of what it writes. */
export interface SinkContext {
  readonly environment: Environment;
  readonly jobName: string;
  /** Part of names of output: a fork of a job must not collide with the original. */
  readonly instanceId: string;
  /** Number of the claim; greater than that of every earlier process. */
  readonly generation: number;
  readonly attempt: number;
  readonly operatorUid: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly metrics: MetricGroup;
}

/** What a writer hands over for one checkpoint. */
export interface PreparedCommit<WriterState, Committable> {
  readonly committables: readonly Committable[];
  readonly writerStates: readonly WriterState[];
}

/** Writes records. All methods but `persist`, `ready`, `recover` and `close` are synchronous. */
export interface SinkWriter<T, WriterState, Committable> {
  /** Buffers or starts writing. `timestampMs` is NaN if the record has none. */
  write(value: T, timestampMs: number): void;
  /** null: go on. A promise: too much is buffered, wait for it before the next batch. */
  ready(): Promise<void> | null;
  /**
   * Cuts in the turn of the barrier: what was written before belongs to this checkpoint.
   *
   * @returns a function, called at most once, that makes all of it durable and then tells what to
   *   commit and what the writer would need to go on; states are plain data (tagged JSON)
   */
  prepareCommit(
    checkpointId: CheckpointId,
  ): () => Promise<PreparedCommit<WriterState, Committable>>;
  /** Rolling by time and the like. Called about once a second of processing time. */
  onTick?(nowMs: number): void;
  /** The input has ended; a last `prepareCommit` follows. */
  endInput?(): void;
  /** Releases everything; what is not prepared may be lost. */
  close(): Promise<void>;
}

/**
 * Outcome of one commit. `alreadyCommitted` counts as done; `retryLater` is tried again a few
 * times; `rejected`: the target will never take it, for a known reason: it is dropped, counted
 * (`commitsRejected`) and logged as an error; `failed`: the job fails and commits it again after
 * its restart.
 */
export type CommitOutcome =
  | { readonly kind: 'committed' }
  | { readonly kind: 'alreadyCommitted' }
  | { readonly kind: 'retryLater'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Makes prepared output visible. */
export interface Committer<Committable> {
  /**
   * Idempotent (K2). A rejection means: outcome unknown, all are committed again later.
   *
   * @returns one outcome per committable, in order
   */
  commit(committables: readonly Committable[]): Promise<readonly CommitOutcome[]>;
  close(): Promise<void>;
}
