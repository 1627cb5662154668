import type { Environment } from '../base/environment.ts';
import { SourceCoordinator } from '../coordinator/source-coordinator.ts';
import type { Attempt, CheckpointBarrier, CheckpointId } from '../element/element.ts';
import type { JobGraph, JobVertex } from '../graph/job-graph.ts';
import type { OperatorSpec } from '../graph/operator-spec.ts';
import type { FromTask, SubtaskId, TaskGateway } from '../protocol/messages.ts';
import type { MemoryBudget } from '../state/memory-budget.ts';
import type { RunStore } from '../state/run-store.ts';
import type { Json } from '../state/snapshot.ts';
import type { ChannelObserver } from '../task/channel/observed-channel.ts';
import type { TaskIdentity, TaskSettings } from '../task/task-host.ts';
import { type DeployedTask, deploy } from './deployment.ts';
import type { HeapGauge } from './node-memory.ts';
import type { LoadedRestore } from './loaded-restore.ts';
import { SourceAlignment } from './source-alignment.ts';
import type { Control, TurnLimits } from './task-runner.ts';

/** How the host works, without effect on results. */
export interface HostSettings {
  readonly task: TaskSettings;
  readonly limits: TurnLimits;
  /** Batches in flight per channel. */
  readonly channelCapacity: number;
  /** Between two ticks: watermarks of quiet sources, rolling of files. */
  readonly tickIntervalMs: number;
  /** For keyed state. */
  readonly memory: MemoryBudget;
  /** Corrects what the budget estimates; null: nobody looks. */
  readonly heap: HeapGauge | null;
  /** null: nobody watches. */
  readonly observeChannel: ChannelObserver | null;
}

/** What one attempt is made from. */
export interface JobAttemptOptions {
  readonly graph: JobGraph;
  readonly identity: TaskIdentity;
  readonly environment: Environment;
  readonly runStore: RunStore;
  readonly mode: 'exactly-once' | 'at-least-once';
  readonly settings: HostSettings;
  /** null: fresh. */
  readonly restore: LoadedRestore | null;
  toCoordinator(message: FromTask): void;
  /** Every subtask has handled the end of its input. At most once. */
  onFinished(): void;
  /** Something failed; may come several times. */
  onFailure(error: unknown): void;
}

/**
 * One run of all tasks, from deployment to close. A failure ends it; the next one is a new object
 * with a new attempt number, restored from the latest checkpoint.
 *
 *   new -> start (open everything, then begin to read) -> ... -> close
 */
export class JobAttempt implements TaskGateway {
  readonly attempt: Attempt;
  readonly subtasks: readonly SubtaskId[];
  readonly tasks: readonly DeployedTask[];
  readonly #options: JobAttemptOptions;
  readonly #sources: SourceCoordinator[] = [];
  readonly #finished = new Set<SubtaskId>();
  readonly #alignment: SourceAlignment;
  #cancelTick: () => void = () => {};
  #closed = false;

  constructor(options: JobAttemptOptions) {
    this.#options = options;
    this.attempt = options.identity.attempt;
    const { graph, identity, environment, runStore, mode, settings, restore } = options;
    this.tasks = deploy({
      graph,
      identity,
      environment,
      runStore,
      memory: settings.memory,
      mode,
      settings: settings.task,
      limits: settings.limits,
      channelCapacity: settings.channelCapacity,
      observeChannel: settings.observeChannel,
      events: {
        toCoordinator: (message) => options.toCoordinator(message),
        onFinished: (subtask) => this.#onFinished(subtask),
        onFailure: (error) => this.#onFailure(error),
      },
      requestSplits: (uid, index) => this.#requestSplits(uid, index),
      restoredFor: (vertex, index) => restore?.restoredFor(vertex, index) ?? null,
    });
    this.subtasks = this.tasks.map((task) => task.id);
    this.#alignment = new SourceAlignment(this.tasks);
  }

  /** Opens all tasks, starts the enumerators, and lets everyone run. */
  start(): void {
    for (const { task } of this.tasks) task.open();
    for (const vertex of this.#options.graph.vertices) this.#startSource(vertex);
    for (const { task, runner } of this.tasks) {
      if (task.isSource) task.start();
      runner.requestTurn();
    }
    this.#scheduleTick();
  }

  trigger(barrier: CheckpointBarrier): Readonly<Record<string, Json>> {
    const states: Record<string, Json> = {};
    for (const source of this.#sources) {
      states[source.uid] = source.snapshot(barrier.checkpointId);
    }
    // Everyone else gets the barrier through its channels, after its input has ended too.
    this.#send({ kind: 'triggerCheckpoint', barrier }, (task) => task.task.isSource);
    return states;
  }

  notifyComplete(checkpointId: CheckpointId): void {
    this.#send({ kind: 'checkpointComplete', attempt: this.attempt, checkpointId });
    try {
      for (const source of this.#sources) source.notifyCheckpointComplete(checkpointId);
    } catch (error) {
      this.#onFailure(error); // the checkpoint stays complete
    }
  }

  notifyAborted(checkpointId: CheckpointId): void {
    this.#send({ kind: 'checkpointAborted', attempt: this.attempt, checkpointId });
  }

  fail(error: unknown): void {
    this.#onFailure(error);
  }

  /** Sources stop reading; with `drain` as if they had ended. */
  stopReading(drain: boolean): void {
    this.#send({ kind: 'stopReading', drain }, (task) => task.task.isSource);
  }

  /** Resolves when all sinks have committed what the notifications sent so far allow. */
  async settled(): Promise<void> {
    await Promise.all(
      this.tasks.map(async ({ task, runner }) => {
        await new Promise<void>((callBack) => runner.send({ kind: 'handled', callBack }));
        await task.settled();
      }),
    );
  }

  /** Nothing is called any more after the returned promise; errors of closing are logged. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick();
    for (const { runner } of this.tasks) runner.stop();
    for (const source of this.#sources) this.#quietly(() => source.close());
    for (const { task } of this.tasks) await this.#quietly(() => task.close());
  }

  #startSource(vertex: JobVertex): void {
    const { node } = vertex.operators[0]!;
    if (node.spec.kind !== 'source') return;
    const spec: OperatorSpec & { kind: 'source' } = node.spec;
    const readers = this.tasks.filter((task) => task.vertex === vertex);
    const coordinator = new SourceCoordinator(
      node.uid,
      spec.source,
      this.#options.environment,
      vertex.parallelism,
      {
        addSplits: (index, splits) => readers[index]!.runner.send({ kind: 'addSplits', splits }),
        noMoreSplits: (index) => readers[index]!.runner.send({ kind: 'noMoreSplits' }),
        fail: (error) => this.#onFailure(error),
      },
      this.#options.restore?.restoredSource(node.uid) ?? null,
    );
    this.#sources.push(coordinator);
    coordinator.start();
  }

  #requestSplits(operatorUid: string, subtaskIndex: number): void {
    const source = this.#sources.find((one) => one.uid === operatorUid);
    if (source === undefined || this.#closed) return;
    try {
      source.onSplitRequest(subtaskIndex);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #onFinished(subtask: SubtaskId): void {
    this.#finished.add(subtask);
    if (this.#finished.size === this.tasks.length && !this.#closed) this.#options.onFinished();
  }

  #onFailure(error: unknown): void {
    if (!this.#closed) this.#options.onFailure(error);
  }

  #send(control: Control, to: (task: DeployedTask) => boolean = () => true): void {
    for (const task of this.tasks) if (to(task)) task.runner.send(control);
  }

  #scheduleTick(): void {
    const { environment, settings } = this.#options;
    this.#cancelTick = environment.scheduler.after(settings.tickIntervalMs, () => {
      if (this.#closed) return;
      if (settings.heap !== null) settings.memory.correct(settings.heap.share());
      this.#send({ kind: 'tick' });
      this.#alignment.update(environment.clock.nowMs());
      this.#scheduleTick();
    });
  }

  async #quietly(close: () => Promise<void> | void): Promise<void> {
    try {
      await close();
    } catch (error) {
      this.#options.environment.logger.log('warn', 'closing failed', { error: String(error) });
    }
  }
}
