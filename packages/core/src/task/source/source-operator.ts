import type { Batch } from '../../element/batch.ts';
import type { CheckpointId } from '../../element/element.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { SourceBatch, SourceReader, SourceSplit } from '../../function/source.ts';
import type { OperatorListState } from '../../state/operator-state.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';
import { SplitWatermarks } from './split-watermarks.ts';

/** Name of the operator list that holds the splits of a reader, with their positions. */
export const SPLITS_STATE = 'splits';

/** The way to the enumerator. */
export interface SourceRequests {
  requestSplits(): void;
}

/**
 * The head of a source chain: a reader, and the event time of what it reads.
 *
 * The splits of a restored snapshot do not come back here: they go through the enumerator, which
 * may deal them out to other subtasks.
 */
export class SourceOperator implements Operator {
  readonly uid: string;
  readonly #spec: OperatorSpec & { readonly kind: 'source' };
  readonly #requests: SourceRequests;
  readonly #generateCode: boolean;
  #context!: OperatorContext;
  #reader!: SourceReader<unknown, SourceSplit>;
  #watermarks!: SplitWatermarks;
  #splits!: OperatorListState<SourceSplit>;
  #paused = false;
  #resume: () => void = () => {};

  constructor(
    uid: string,
    spec: OperatorSpec & { readonly kind: 'source' },
    requests: SourceRequests,
    generateCode: boolean,
  ) {
    this.#generateCode = generateCode;
    this.uid = uid;
    this.#spec = spec;
    this.#requests = requests;
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#watermarks = new SplitWatermarks(
      this.#spec.watermarks,
      this.#nowMs(),
      this.#generateCode,
    );
    this.#splits = context.operatorState.list<SourceSplit>(SPLITS_STATE, 'split');
    this.#splits.update([]);
    this.#reader = this.#spec.source.createReader({
      environment: context.environment,
      subtaskIndex: context.subtaskIndex,
      parallelism: context.parallelism,
      metrics: context.metrics,
      requestSplits: () => this.#requests.requestSplits(),
    });
  }

  /** Asks for the first splits; after the enumerator has started. */
  start(): void {
    this.#requests.requestSplits();
  }

  process(): void {
    throw new TypeError('a source has no input');
  }

  /** Records with their timestamps assigned. */
  poll(maxRecords: number): SourceBatch | 'wait' | 'end' {
    if (this.#paused) return 'wait';
    const polled = this.#reader.poll(maxRecords);
    if (polled !== 'wait' && polled !== 'end') this.#onBatch(polled.splitId, polled.batch);
    for (const splitId of this.#reader.finishedSplits()) this.#watermarks.removeSplit(splitId);
    return polled;
  }

  available(): Promise<void> {
    if (!this.#paused) return this.#reader.available();
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** The watermark now, and whether all splits are idle. */
  watermark(): { readonly timeMs: number; readonly idle: boolean } {
    return this.#watermarks.current(this.#nowMs());
  }

  addSplits(splits: readonly SourceSplit[]): void {
    for (const { splitId } of splits) this.#watermarks.addSplit(splitId, this.#nowMs());
    this.#reader.addSplits(splits);
  }

  noMoreSplits(): void {
    this.#reader.noMoreSplits();
  }

  /** Alignment: a paused source reads nothing. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#resume();
  }

  onTick(nowMs: number): void {
    this.#watermarks.onPeriodic(nowMs);
  }

  snapshot(checkpointId: CheckpointId): void {
    this.#splits.update(this.#reader.snapshot(checkpointId));
  }

  notifyCheckpointComplete(checkpointId: CheckpointId): void {
    this.#reader.notifyCheckpointComplete?.(checkpointId);
  }

  close(): Promise<void> | void {
    return this.#reader?.close();
  }

  #onBatch(splitId: string, batch: Batch): void {
    this.#watermarks.onBatch(splitId, batch, this.#nowMs());
  }

  #nowMs(): number {
    return this.#context.environment.clock.nowMs();
  }
}
