import type { CheckpointId } from '../../element/element.ts';
import type {
  Committer,
  PreparedCommit,
  Sink,
  SinkContext,
  SinkWriter,
} from '../../function/sink.ts';
import type { OperatorListState } from '../../state/operator-state.ts';
import type { OperatorListSnapshot } from '../../state/snapshot.ts';
import { toTaggedJson } from '../../codec/tagged-json.ts';
import { assert } from '../../base/assert.ts';
import type { LoopRecord, LoopWriter } from '../operator/loop-writer.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';
import type { TaskIdentity } from '../task-host.ts';
import { CommitLoop } from './commit-loop.ts';

/** Operator lists of a sink in a snapshot. */
export const WRITER_STATE = 'writer';
export const COMMITTABLES_STATE = 'committables';

/**
 * The end of a stream: a sink's writer, and its committer.
 *
 *   records -> writer --prepareCommit (before the barrier)--> persist --> committables
 *           committables --(checkpoint complete)--> commit loop --> committed
 *
 * Z1. A committable is in every snapshot from its own checkpoint on until its commit is confirmed.
 * Z2. What a restored snapshot lists was committed again before this operator was opened
 *     (coordinator side, embedded/sink-recovery.ts): the operator begins with writer states only.
 */
export class SinkOperator implements Operator {
  readonly #sink: Sink<unknown>;
  readonly #identity: TaskIdentity;
  readonly #uid: string;
  readonly #subtaskIndex: number;
  #context!: OperatorContext;
  #writer!: SinkWriter<unknown, unknown, unknown>;
  #committer: Committer<unknown> | null = null;
  #commits: CommitLoop | null = null;
  #writerStates!: OperatorListState<unknown>;
  #prepared: (() => Promise<PreparedCommit<unknown, unknown>>) | null = null;
  #waitingFor: Promise<void> | null = null;
  #persisting: Promise<void> = Promise.resolve();

  constructor(sink: Sink<unknown>, identity: TaskIdentity, uid: string, subtaskIndex: number) {
    this.#sink = sink;
    this.#identity = identity;
    this.#uid = uid;
    this.#subtaskIndex = subtaskIndex;
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#writerStates = context.operatorState.list(WRITER_STATE, 'split');
    const sinkContext: SinkContext = {
      environment: context.environment,
      jobName: this.#identity.jobName,
      instanceId: this.#identity.instanceId,
      generation: this.#identity.generation,
      attempt: this.#identity.attempt,
      operatorUid: this.#uid,
      subtaskIndex: this.#subtaskIndex,
      parallelism: context.parallelism,
      metrics: context.metrics,
    };
    this.#writer = this.#sink.createWriter(sinkContext, [...this.#writerStates.get()]);
    this.#writerStates.update([]); // from here on each snapshot's `persist` tells them
    this.#committer = this.#sink.createCommitter?.(sinkContext) ?? null;
    if (this.#committer !== null) {
      this.#commits = new CommitLoop(this.#committer, context, (error) => context.fail(error));
    }
  }

  process(value: unknown, timestampMs: number): void {
    this.#writer.write(value, timestampMs);
  }

  inline(loop: LoopWriter, { value, time }: LoopRecord): string {
    return `${loop.bind(this.#writer)}.write(${value}, ${time});`;
  }

  /** Asks the writer; when it is full, its promise brings the task back. */
  isBlocked(): boolean {
    if (this.#waitingFor !== null) return true;
    const ready = this.#writer.ready();
    if (ready === null) return false;
    this.#waitingFor = ready;
    ready.then(
      () => {
        this.#waitingFor = null;
        this.#context.wake();
      },
      (error: unknown) => this.#context.fail(error),
    );
    return true;
  }

  onTick(nowMs: number): void {
    this.#writer.onTick?.(nowMs);
  }

  finish(): boolean {
    this.#writer.endInput?.();
    return true;
  }

  prepareBarrier(checkpointId: CheckpointId): void {
    this.#prepared = this.#writer.prepareCommit(checkpointId);
  }

  /**
   * Z1. One after the other: the committables of an earlier checkpoint that is still being made
   * durable belong to this one as well. A failure fails the task, not only the checkpoint: the
   * writer has let go of the data.
   */
  persist(checkpointId: CheckpointId): Promise<readonly OperatorListSnapshot[]> {
    const prepared = this.#prepared;
    assert(prepared !== null, 'persist follows prepareBarrier');
    this.#prepared = null;
    const persisted = this.#persisting.then(async () => {
      const { committables, writerStates } = await prepared();
      this.#commits?.add(checkpointId, committables);
      const unconfirmed = this.#commits?.unconfirmed() ?? [];
      return [listOf(WRITER_STATE, writerStates), listOf(COMMITTABLES_STATE, unconfirmed)];
    });
    this.#persisting = persisted.then(ignore, (error: unknown) => this.#context.fail(error));
    return persisted;
  }

  notifyCheckpointComplete(checkpointId: CheckpointId): void {
    this.#commits?.complete(checkpointId);
  }

  /** Resolves when everything that may be committed has been. */
  settled(): Promise<void> {
    return this.#commits?.settled() ?? Promise.resolve();
  }

  async close(): Promise<void> {
    this.#commits?.close();
    await this.#writer?.close();
    await this.#committer?.close();
  }
}

function ignore(): void {}

function listOf(name: string, elements: readonly unknown[]): OperatorListSnapshot {
  return { name, redistribution: 'split', elements: elements.map((one) => toTaggedJson(one)) };
}
