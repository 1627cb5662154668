import { assert } from '../base/assert.ts';
import { createDeferred, type Deferred } from '../base/deferred.ts';
import type { Environment } from '../base/environment.ts';
import { messageOf, StreamError } from '../base/errors.ts';
import type { ResolvedCheckpointOptions } from '../config/checkpoint-options.ts';
import type { ResolvedRestartStrategy } from '../config/restart-strategy.ts';
import { CheckpointDriver } from '../coordinator/checkpoint-driver.ts';
import { JobFencedError } from '../coordinator/coordinator-errors.ts';
import type { SavepointTarget } from '../coordinator/checkpoint-writer.ts';
import type { Recovery } from '../coordinator/recovery.ts';
import {
  initialRestartState,
  onFailure,
  type RestartState,
} from '../coordinator/restart-backoff.ts';
import { noteworthyChanges } from '../checkpoint/change-text.ts';
import { isAllFinished } from '../checkpoint/manifest.ts';
import { inlinePath, manifestPath, runPath } from '../checkpoint/paths.ts';
import { discardsAtEnd } from '../checkpoint/retention.ts';
import type { JobGraph } from '../graph/job-graph.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { type HostSettings, JobAttempt } from './job-attempt.ts';
import { JobNotRunningError } from './job-errors.ts';
import type { CompletedCheckpoint } from '../coordinator/completed-checkpoint.ts';
import type {
  JobEvent,
  JobExecution,
  JobResult,
  JobStatus,
  OperatorMetrics,
} from './job-execution.ts';
import { loadRestore } from './loaded-restore.ts';
import { operatorMetrics } from './operator-metrics.ts';
import { RunFileStore } from './run-file-store.ts';
import { recoverSinks } from './sink-recovery.ts';

/** So long a cancelled job waits for what is under way. */
const CANCEL_PATIENCE_MS = 15_000;

/** What a runner needs; made by `run`. */
export interface JobRunnerOptions {
  readonly graph: JobGraph;
  readonly environment: Environment;
  /** Rooted at the job's own directory. */
  readonly storage: CheckpointStorage;
  readonly recovery: Recovery;
  readonly checkpoints: ResolvedCheckpointOptions;
  readonly restart: ResolvedRestartStrategy;
  readonly allowDroppedState: boolean;
  readonly settings: HostSettings;
  /** Where savepoints of this directory go. */
  savepointTarget(directory: string): Promise<SavepointTarget>;
  readonly onEvent: (event: JobEvent) => void;
  /** Called when everything has ended, however. */
  onEnd(): Promise<void>;
}

/** How an attempt ended. */
type AttemptEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface StopRequest {
  readonly target: SavepointTarget | null;
  readonly drain: boolean;
  /** Rejects if its attempt fails: then the job goes on. */
  readonly failed: Deferred<never>;
}

// The life of a job in a process:
//
//   starting --> running --all input ended--> (last checkpoint, commits) --> finished
//      ^            |  \--stop--> stopping --(last checkpoint, commits)--> stopped
//      |            |  \--cancel--------------------------------------> cancelled
//      |         failure
//      |            v
//      +------ restarting (delay of the restart strategy; or: failed)
//
// B1. One attempt at a time: the next one is deployed when the last is closed and it is known
//     which checkpoint is the latest.
// B2. What a restored checkpoint lists is committed before any task of the attempt opens.
// B3. A job that ends by itself takes a last checkpoint; its sinks commit before it is `finished`.
//     There is one last checkpoint: whoever comes first takes it, a stop or the end of all input.
// B4. A process that was taken over while it waited finds out before it restores: files that it
//     needs may be gone, and nothing of its sinks is its own any more.
// B5. A process that was taken over does not fail with what follows from it (a file of its sinks
//     is gone, say): whoever starts it again by that error would take the job back.
// B6. A cancelled job ends for its user although a call on a storage or a file never comes back:
//     nothing that counts depends on what is cleaned up. What comes after is not told.

/** A job that runs in this process. */
export class JobRunner implements JobExecution {
  readonly jobName: string;
  readonly done: Promise<JobResult>;
  readonly #options: JobRunnerOptions;
  readonly #driver: CheckpointDriver;
  #restartState: RestartState;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #done: Deferred<JobResult> = createDeferred();
  /** Resolves when the job is not starting any more. */
  readonly #started: Deferred<void> = createDeferred();
  #status: JobStatus = 'starting';
  #attempts = 0;
  #attempt: JobAttempt | null = null;
  #ending: Deferred<AttemptEnd> | null = null;
  #stop: StopRequest | null = null;
  #isEnding = false;
  #isCancelled = false;
  #hasEnded = false;
  #wakeFromDelay: () => void = () => {};
  #lastMetrics: readonly OperatorMetrics[] = [];

  constructor(options: JobRunnerOptions) {
    const { environment, graph, recovery, checkpoints } = options;
    this.#options = options;
    this.jobName = graph.jobName;
    this.done = this.#done.promise;
    this.done.catch(() => {}); // who does not wait for it has the events
    this.#listeners.add(options.onEvent);
    this.#restartState = initialRestartState(options.restart);
    this.#driver = new CheckpointDriver({
      environment,
      storage: options.storage,
      recovery,
      checkpoints,
      jobName: graph.jobName,
      fingerprint: graph.fingerprint,
      operators: operatorSizes(graph),
      onEvent: (event) => {
        if (event.kind === 'completed') {
          this.#emit({ kind: 'checkpointCompleted', checkpoint: event.checkpoint });
        } else if (event.kind === 'released') {
          this.#emit({ kind: 'snapshotReleased', directory: event.directory });
        } else {
          const reason = event.detail === '' ? event.reason : `${event.reason}: ${event.detail}`;
          this.#emit({ kind: 'checkpointAborted', checkpointId: event.checkpointId, reason });
        }
      },
    });
  }

  /** Begins to run; returns at once. */
  start(): void {
    const { generation, instanceId, leftBehind } = this.#options.recovery;
    this.#emit({ kind: 'claimed', generation, instanceId, leftBehind });
    this.#emit({ kind: 'status', status: 'starting' });
    void this.#live();
  }

  status(): JobStatus {
    return this.#status;
  }

  triggerCheckpoint(): Promise<CompletedCheckpoint> {
    return this.#whileRunning(() => this.#driver.triggerCheckpoint());
  }

  triggerSavepoint(directory: string): Promise<CompletedCheckpoint> {
    const { savepointTarget } = this.#options;
    const target = this.#whileRunning(() => savepointTarget(directory));
    // Opening it may take a while, and the job may have ended meanwhile.
    return target.then((opened) => this.#whileRunning(() => this.#driver.triggerSavepoint(opened)));
  }

  stop(
    options: { readonly drain?: boolean; readonly savepointDirectory?: string } = {},
  ): Promise<JobResult> {
    const hasEnded = this.#isEnding && this.#attempt === null; // only not yet cleaned up
    if (hasEnded) return this.done;
    const { savepointDirectory, drain = false } = options;
    if (savepointDirectory === undefined) return this.#stopWith(null, drain);
    const { savepointTarget } = this.#options;
    const target = this.#whileRunning(() => savepointTarget(savepointDirectory));
    return target.then((opened) => this.#stopWith(opened, drain));
  }

  #stopWith(target: SavepointTarget | null, drain: boolean): Promise<JobResult> {
    return this.#whileRunning(() => {
      const failed = createDeferred<never>();
      failed.promise.catch(() => {}); // `done` may have been first
      this.#stop = { target, drain, failed };
      this.#setStatus('stopping');
      this.#attempt!.stopReading(drain);
      // With drain all tasks finish, and that takes the last checkpoint.
      if (!drain) void this.#takeLastCheckpoint({ kind: 'stopped' });
      return Promise.race([this.done, failed.promise]);
    });
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#options.recovery.owner.abandon(); // a dead storage must not keep us waiting
    this.#ending?.resolve({ kind: 'cancelled' });
    this.#wakeFromDelay();
    const { scheduler } = this.#options.environment;
    const end = (): void => this.#end({ kind: 'cancelled' });
    const giveUp = scheduler.after(CANCEL_PATIENCE_MS, end); // B6
    await this.done.catch(() => {});
    giveUp();
  }

  metrics(): readonly OperatorMetrics[] {
    if (this.#attempt !== null) this.#lastMetrics = operatorMetrics(this.#attempt.tasks);
    return this.#lastMetrics;
  }

  onEvent(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lastCheckpoint(): CompletedCheckpoint | null {
    return this.#driver.lastCheckpoint;
  }

  async #live(): Promise<void> {
    try {
      const end = await this.#runToTheEnd();
      await this.#clean(end);
      this.#end(end);
    } catch (error) {
      this.#end({ kind: 'failed', error });
    }
  }

  #end(end: AttemptEnd): void {
    if (this.#hasEnded) return; // B6
    this.#setStatus(end.kind);
    this.#hasEnded = true;
    const lastCheckpoint = this.#driver.lastCheckpoint;
    if (end.kind === 'failed') this.#done.reject(end.error);
    else {
      const drained = end.kind === 'stopped' && this.#stop?.drain ? { drained: true as const } : {};
      const attempts = this.#attempts;
      this.#done.resolve({ status: end.kind, lastCheckpoint, attempts, ...drained });
    }
  }

  async #runToTheEnd(): Promise<AttemptEnd> {
    for (;;) {
      const end = await this.#runAttempt();
      if (end.kind !== 'failed') return end;
      const isHopeless = end.error instanceof StreamError && end.error.retry === 'never';
      const delayMs = isHopeless ? null : this.#restartDelayMs();
      const error = delayMs === null ? await this.#causeOf(end.error) : end.error;
      this.#emit({ kind: 'failure', error, restartInMs: delayMs });
      if (delayMs === null) return { kind: 'failed', error };
      this.#setStatus('restarting');
      await this.#delay(delayMs);
      if (this.#isCancelled) return { kind: 'cancelled' };
    }
  }

  // B5
  async #causeOf(error: unknown): Promise<unknown> {
    try {
      await this.#options.recovery.owner.confirm();
      return error;
    } catch (reason) {
      return reason instanceof JobFencedError ? reason : error;
    }
  }

  // null: the strategy gives up.
  #restartDelayMs(): number | null {
    const { clock, random } = this.#options.environment;
    const { state, decision } = onFailure(this.#restartState, clock.monotonicMs(), random);
    this.#restartState = state;
    return decision.kind === 'fail' ? null : decision.delayMs;
  }

  // B1, B2
  async #runAttempt(): Promise<AttemptEnd> {
    const ending = createDeferred<AttemptEnd>();
    this.#ending = ending;
    this.#stop = null;
    this.#isEnding = false;
    this.#attempts++;
    let isStarted = false;
    let end: AttemptEnd;
    try {
      this.#attempt = await this.#deploy(ending);
      this.#driver.start(this.#attempt);
      isStarted = true;
      this.#setStatus('running');
      if (this.#isCancelled) ending.resolve({ kind: 'cancelled' });
      end = await ending.promise;
    } catch (error) {
      end = { kind: 'failed', error };
    }
    if (end.kind === 'failed') this.#giveUpStop(end.error);
    this.metrics();
    this.#ending = null;
    if (isStarted) await this.#driver.end(end.kind === 'failed' ? 'job-failed' : 'job-stopped');
    await this.#attempt?.close();
    this.#attempt = null;
    return end;
  }

  async #deploy(ending: Deferred<AttemptEnd>): Promise<JobAttempt> {
    const { graph, environment, storage, recovery, checkpoints, settings } = this.#options;
    const { clock } = environment;
    const startedAtMs = clock.monotonicMs();
    const attempt = this.#attempts;
    const { generation, instanceId } = recovery;
    if (attempt > 1) await recovery.owner.confirm(); // B4
    let runs = 0;
    let inlineRuns = 0;
    const runStore = new RunFileStore({
      storage,
      environment,
      nextName: () => runPath(generation, attempt, '', ++runs),
      nextInlineName: () => inlinePath(generation, attempt, ++inlineRuns),
      inlineBytesMax: checkpoints.inlineBytesMax,
      use: this.#driver.beginUse(),
    });
    const manifest = this.#driver.latestManifest;
    const { allowDroppedState } = this.#options;
    const restore = manifest === null ? null : loadRestore(manifest, graph, allowDroppedState);
    const identity = { jobName: graph.jobName, instanceId, generation, attempt };
    await recoverSinks(graph, restore, identity, environment);
    const deployed = new JobAttempt({
      graph,
      identity,
      environment,
      runStore,
      mode: checkpoints.mode,
      settings,
      restore,
      toCoordinator: (message) => this.#driver.onMessage(message),
      onFinished: () => {
        const kind = this.#stop === null ? 'finished' : 'stopped';
        void this.#takeLastCheckpoint({ kind });
      },
      onFailure: (error) => ending.resolve({ kind: 'failed', error }),
    });
    try {
      deployed.start();
    } catch (error) {
      await deployed.close();
      throw error;
    }
    if (manifest !== null) {
      const { checkpointId } = manifest;
      const own = manifestPath(checkpointId);
      const from = attempt === 1 ? (recovery.restoredFrom ?? own) : own;
      const durationMs = clock.monotonicMs() - startedAtMs;
      const hadFinished = isAllFinished(manifest);
      const changes = attempt === 1 ? noteworthyChanges(restore?.changes ?? []) : [];
      this.#emit({ kind: 'restored', from, checkpointId, durationMs, hadFinished, changes });
    }
    return deployed;
  }

  // B3. If it is aborted the attempt fails and the job goes on from the checkpoint before.
  async #takeLastCheckpoint(end: AttemptEnd): Promise<void> {
    const ending = this.#ending;
    const attempt = this.#attempt;
    if (ending === null || attempt === null || this.#isEnding) return;
    this.#isEnding = true;
    try {
      await this.#driver.stopWithCheckpoint(this.#stop?.target ?? null);
      await attempt.settled();
      ending.resolve(end);
    } catch (error) {
      ending.resolve({ kind: 'failed', error });
    }
  }

  #giveUpStop(error: unknown): void {
    this.#stop?.failed.reject(error);
  }

  async #clean(end: AttemptEnd): Promise<void> {
    const { checkpoints, environment } = this.#options;
    try {
      if (discardsAtEnd(checkpoints.retention, end.kind)) await this.#driver.discardAll();
    } finally {
      await this.#driver.close();
      await this.#options.onEnd();
    }
    environment.logger.log('debug', `job ended: ${end.kind}`);
  }

  #delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.environment.scheduler.after(delayMs, resolve);
      this.#wakeFromDelay = () => {
        cancel();
        resolve();
      };
      if (this.#isCancelled) this.#wakeFromDelay();
    });
  }

  // What is asked while the job starts waits until it runs.
  async #whileRunning<T>(call: () => Promise<T>): Promise<T> {
    if (this.#status === 'starting') await this.#started.promise;
    if (this.#status === 'running' && this.#attempt !== null) return call();
    throw new JobNotRunningError(
      `job "${this.jobName}" is ${this.#status}`,
      { jobName: this.jobName, status: this.#status },
      { hint: 'Try again when it is running; to end it in any state use cancel.' },
    );
  }

  #setStatus(status: JobStatus): void {
    if (status === this.#status || this.#hasEnded) return;
    assert(this.#status !== 'failed', 'a failed job stays failed');
    this.#status = status;
    this.#started.resolve();
    this.#emit({ kind: 'status', status });
  }

  #emit(event: JobEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        const message = 'a listener for events of the job has failed';
        this.#options.environment.logger.log('error', message, { error: messageOf(error) });
      }
    }
  }
}

function operatorSizes(
  graph: JobGraph,
): Record<string, { readonly parallelism: number; readonly maxParallelism: number }> {
  return Object.fromEntries(
    graph.vertices.flatMap(({ operators, parallelism, maxParallelism }) =>
      operators.map(({ node }) => [node.uid, { parallelism, maxParallelism }]),
    ),
  );
}
