import { MetricGroup } from '@millrace/core/host';
import type { Committer, Sink, SinkContext, SinkWriter } from '@millrace/core/connector';
import type { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { CheckpointLog, SinkRestore, SubtaskPart } from './checkpoint-log.ts';
import { commitAll } from './commit-all.ts';
import type { Progress } from './progress.ts';
import type { WakeMoment } from './sink-scenario.ts';
import { type Epoch, SINK_SCRIPT } from './sink-script.ts';

/** Names that the sink sees. */
const JOB_NAME = 'sink-check';
const OPERATOR_UID = 'sink';
const INSTANCE_ID = '5eed';

/** Whose calls a sink gets. */
export interface SinkCaller {
  readonly environment: VirtualEnvironment;
  readonly generation: number;
  readonly attempt: number;
  readonly parallelism: number;
}

/** One attempt of the job: who it is and what it is made of. */
export interface SinkLifeOptions<T> extends SinkCaller {
  readonly sink: Sink<T>;
  readonly log: CheckpointLog;
  readonly progress: Progress;
  /** Greater than every id that this process has used before. */
  readonly firstCheckpointId: number;
  readonly record: (index: number) => T;
  /** Called each time; waited for. */
  readonly onMoment: (moment: WakeMoment) => Promise<void>;
}

interface Subtask<T> {
  readonly index: number;
  readonly writer: SinkWriter<T, unknown, unknown>;
  readonly committer: Committer<unknown> | null;
  /** Not confirmed yet, by checkpoint; as in task/sink/committer-step.ts. */
  unconfirmed: { readonly checkpointId: number; readonly committables: readonly unknown[] }[];
  persisting: Promise<unknown>;
}

interface PendingCheckpoint {
  readonly id: number;
  readonly nextEpoch: number;
  readonly parts: Promise<readonly SubtaskPart[]>;
}

/** What the engine would tell a writer or committer about itself. */
export function sinkContext(caller: SinkCaller, subtaskIndex: number): SinkContext {
  const { environment, generation, attempt, parallelism } = caller;
  return {
    environment,
    jobName: JOB_NAME,
    instanceId: INSTANCE_ID,
    generation,
    attempt,
    operatorUid: OPERATOR_UID,
    subtaskIndex,
    parallelism,
    metrics: new MetricGroup(),
  };
}

/**
 * One attempt of a job that consists of nothing but a sink, driven as the engine drives it: commits
 * what the checkpoint lists, recovers, creates writers from the restored states, and writes what
 * comes after the checkpoint.
 *
 *   commit again -> recover -> createWriter -> (write* -> prepareCommit -> persist -> durable ->
 *   commit -> confirm)* -> endInput -> the same once more -> close
 *
 * V1. Between any two calls there is a turn of the scheduler, so a crash can come there; the
 *     calls' own I/O brings more.
 * V2. A commit runs beside the records of the next epoch, and at most one call at a time and
 *     subtask.
 * V3. An attempt whose process has been taken over completes no checkpoint: it ends quietly.
 */
export class SinkLife<T> {
  readonly #options: SinkLifeOptions<T>;
  readonly #subtasks: Subtask<T>[] = [];
  #nextCheckpointId: number;
  #committing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  #stopped = false;
  #fenced = false;

  constructor(options: SinkLifeOptions<T>) {
    this.#options = options;
    this.#nextCheckpointId = options.firstCheckpointId;
  }

  get nextCheckpointId(): number {
    return this.#nextCheckpointId;
  }

  /**
   * Runs to the end of the script, or until the process finds that it has been taken over.
   *
   * @throws what the sink threw; the attempt has failed then
   */
  async run(): Promise<void> {
    const { log, parallelism, onMoment, progress } = this.#options;
    const restore = log.restore();
    await this.#recover(restore);
    progress.note('the sink had recovered');
    await onMoment('recovered');
    if (restore.nextEpoch >= SINK_SCRIPT.length) return;
    const states = restore.writerStates(parallelism);
    for (let index = 0; index < parallelism; index++) {
      await this.#turn();
      this.#subtasks.push(this.#open(index, states[index]!));
    }
    const pending: PendingCheckpoint[] = [];
    for (const [index, epoch] of SINK_SCRIPT.entries()) {
      if (index < restore.nextEpoch) continue;
      await this.#write(epoch);
      pending.push(await this.#barrier(index));
      if (epoch.end === 'overtaken by the next barrier') continue;
      for (const checkpoint of pending.splice(0)) await this.#finish(checkpoint, epoch);
      if (this.#fenced) break;
    }
    await this.#do('the end waited for the last commit', () => this.#committing);
    await this.close();
  }

  /** The attempt is over: nothing more is begun, the sink's writers and committers are closed. */
  async close(): Promise<void> {
    this.#stopped = true;
    for (const { writer, committer } of this.#subtasks) {
      await writer.close();
      await committer?.close();
    }
  }

  async #recover({ committables, live }: SinkRestore): Promise<void> {
    const { sink } = this.#options;
    const context = sinkContext(this.#options, 0);
    await this.#turn();
    if (committables.length > 0 && sink.createCommitter !== undefined) {
      const committer = sink.createCommitter(context);
      await this.#do('what the restored checkpoint lists was being committed again', () =>
        commitAll(committer, committables, context.environment),
      );
      await committer.close();
    }
    await this.#turn();
    await this.#do('the sink was recovering', async () => sink.recover?.(context, live));
    await this.#turn();
  }

  #open(index: number, restored: readonly unknown[]): Subtask<T> {
    const { sink } = this.#options;
    const context = sinkContext(this.#options, index);
    return {
      index,
      writer: sink.createWriter(context, restored),
      committer: sink.createCommitter?.(context) ?? null,
      unconfirmed: [],
      persisting: Promise.resolve(),
    };
  }

  async #write({ first, count, isLast }: Epoch): Promise<void> {
    const { record, environment } = this.#options;
    for (let index = first; index < first + count; index++) {
      const { writer, index: subtask } = this.#subtasks[index % this.#subtasks.length]!;
      await this.#turn();
      const ready = writer.ready();
      if (ready !== null) {
        await this.#do(`the writer of subtask ${subtask} was waited for`, () => ready);
      }
      this.#options.progress.note(`record ${index} was written`);
      writer.write(record(index), Number.NaN);
    }
    await this.#turn();
    for (const { writer } of this.#subtasks) {
      writer.onTick?.(environment.clock.nowMs());
      if (isLast) writer.endInput?.();
    }
  }

  /** The barrier passes the subtasks one after the other; each begins to persist at once. */
  async #barrier(epochIndex: number): Promise<PendingCheckpoint> {
    const id = this.#nextCheckpointId++;
    const { progress } = this.#options;
    const parts: Promise<SubtaskPart>[] = [];
    for (const subtask of this.#subtasks) {
      await this.#turn();
      progress.note(`checkpoint ${id} was prepared (prepareCommit, subtask ${subtask.index})`);
      const prepared = subtask.writer.prepareCommit(id);
      const part = subtask.persisting.then(async () => {
        const { committables, writerStates } = await prepared();
        if (committables.length > 0) subtask.unconfirmed.push({ checkpointId: id, committables });
        const open = subtask.unconfirmed.flatMap((bundle) => bundle.committables);
        return { committables: open, writerStates };
      });
      part.catch((error: unknown) => this.#fail(error));
      subtask.persisting = part.catch(() => {});
      parts.push(part);
    }
    const all = Promise.all(parts);
    all.catch(() => {}); // each part has reported its failure
    return { id, nextEpoch: epochIndex + 1, parts: all };
  }

  async #finish(checkpoint: PendingCheckpoint, epoch: Epoch): Promise<void> {
    const { log, progress, generation, onMoment } = this.#options;
    const { id, nextEpoch } = checkpoint;
    const parts = await this.#do(`checkpoint ${id} was being persisted`, () => checkpoint.parts);
    progress.note(`checkpoint ${id} was persisted everywhere, but not yet complete`);
    await this.#turn();
    await onMoment('checkpoint-persisted');
    if (epoch.end === 'aborted') {
      progress.note(`checkpoint ${id} had been aborted`);
      return;
    }
    if (this.#fenced || !log.complete(generation, id, nextEpoch, parts)) {
      this.#fenced = true; // V3
      return;
    }
    progress.note(`checkpoint ${id} was complete, but its commit had not begun`);
    await this.#turn();
    await onMoment('checkpoint-complete');
    this.#committing = this.#committing.then(() => this.#commit(id));
    this.#committing.catch((error: unknown) => this.#fail(error));
  }

  async #commit(id: number): Promise<void> {
    for (const subtask of this.#subtasks) {
      const due = subtask.unconfirmed.filter((bundle) => bundle.checkpointId <= id);
      for (const bundle of due) {
        if (subtask.committer === null || this.#stopped) break;
        const { committer } = subtask;
        await this.#do(`checkpoint ${id} was being committed (subtask ${subtask.index})`, () =>
          commitAll(committer, bundle.committables, this.#options.environment),
        );
        this.#options.progress.note(`checkpoint ${id} was committed, but not yet confirmed`);
        await this.#turn();
        subtask.unconfirmed = subtask.unconfirmed.filter((one) => one !== bundle);
      }
    }
    await this.#options.onMoment('committed');
  }

  async #do<R>(what: string, action: () => Promise<R>): Promise<R> {
    const end = this.#options.progress.begin(what);
    try {
      return await action();
    } finally {
      end();
    }
  }

  // V1. Never comes back to an attempt that is over.
  async #turn(): Promise<void> {
    const { scheduler } = this.#options.environment;
    await new Promise<void>((resolve) => scheduler.defer(resolve));
    if (this.#stopped) return new Promise(() => {});
    if (this.#failure !== null) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }
}
