import { assert } from '../base/assert.ts';
import type { Cancel, Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import { figuresOf, runIdsOf } from '../checkpoint/figures-of.ts';
import { sizeBytesOf } from '../checkpoint/files-of.ts';
import { withForeign } from '../checkpoint/foreign-runs.ts';
import {
  type CheckpointFigures,
  type ForeignDirectory,
  type Manifest,
  manifestOf,
} from '../checkpoint/manifest.ts';
import { runOriginOf, runPath, SHARED_PREFIX } from '../checkpoint/paths.ts';
import type { ResolvedCheckpointOptions } from '../config/checkpoint-options.ts';
import type { CheckpointBarrier, CheckpointId } from '../element/element.ts';
import type { AbortReason, FromTask, SubtaskId, TaskGateway } from '../protocol/messages.ts';
import type { Json, SubtaskSnapshot } from '../state/snapshot.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { coordinatorStep } from './checkpoint-coordinator.ts';
import { CheckpointFiles } from './checkpoint-files.ts';
import type { CheckpointEvent, CompletedCheckpoint } from './completed-checkpoint.ts';
import {
  CheckpointAbortedError,
  CopyInterruptedError,
  ManifestTakenError,
  TooManyCheckpointFailuresError,
} from './coordinator-errors.ts';
import {
  type CheckpointRequest,
  type CoordinatorCommand,
  type CoordinatorEvent,
  type CoordinatorState,
  initialCoordinatorState,
  nextWakeMs,
} from './coordinator-state.ts';
import { CheckpointWriter, type SavepointTarget } from './checkpoint-writer.ts';
import { type FittedManifest, InlineBudget } from './inline-budget.ts';
import { HEARTBEAT_MS, type Recovery } from './recovery.ts';
import { RunUse } from './run-use.ts';

/** What a driver needs. */
export interface CheckpointDriverOptions {
  readonly environment: Environment;
  /** Rooted at the job's own directory; the one that was recovered from. */
  readonly storage: CheckpointStorage;
  readonly recovery: Recovery;
  readonly checkpoints: ResolvedCheckpointOptions;
  readonly jobName: string;
  readonly fingerprint: string;
  /** Parallelism of every operator, by uid. */
  readonly operators: Readonly<
    Record<string, { readonly parallelism: number; readonly maxParallelism: number }>
  >;
  readonly onEvent: (event: CheckpointEvent) => void;
}

/** A job that stops does not wait longer for a storage that does not answer. */
const STOP_PATIENCE_MS = 10_000;

interface Running {
  readonly barrier: CheckpointBarrier;
  readonly startedAtMs: number;
  enumerators: Readonly<Record<string, Json>>;
  readonly acknowledged: Map<SubtaskId, SubtaskSnapshot>;
  readonly target: SavepointTarget | null;
  completed: CompletedCheckpoint | null;
}

/**
 * Carries out what `coordinatorStep` decides: timers, barriers, manifests, slots of the log,
 * deletions, notifications. One for the life of a process; attempts come and go.
 *
 *   new -> (start(gateway) -> ... -> end())* -> close
 *
 * D1. Everything that happens is an event of the step, in the order it happened.
 * D2. `notifyComplete` follows a won slot, never anything less.
 * D3. When this owner is fenced nothing is told to the tasks but to fail.
 */
export class CheckpointDriver {
  readonly #options: CheckpointDriverOptions;
  readonly #environment: Environment;
  readonly #files: CheckpointFiles;
  readonly #writer: CheckpointWriter;
  readonly #inlineBudget: InlineBudget;
  /** Of the attempt that runs or is being deployed. */
  #use = new RunUse(() => {});
  #objects = 0;
  /** Of all that is restored from; only what a manifest's runs are in goes into it. */
  readonly #foreign: Readonly<Record<string, ForeignDirectory>>;
  /** Nothing needs a directory any more that does not belong to the job. */
  #isForeignFree = false;
  readonly #running = new Map<CheckpointId, Running>();
  readonly #answers = new Map<number, PromiseWithResolvers<CompletedCheckpoint>>();
  readonly #targets = new Map<number, SavepointTarget>();
  #state: CoordinatorState;
  #gateway: TaskGateway | null = null;
  #lastRequestId = 0;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #cancelWake: Cancel = () => {};
  #cancelBeat: Cancel = () => {};
  /** The store or the deletion under way; resolves, never rejects. */
  #background: Promise<void> = Promise.resolve();
  #last: CompletedCheckpoint | null = null;
  #attempts = 0;
  /** What is triggered from here on has at least this id. */
  #nextId: CheckpointId;
  #isClosed = false;
  /** Waiting events; a command may cause another event before it returns. */
  readonly #events: CoordinatorEvent[] = [];
  #isFeeding = false;

  constructor(options: CheckpointDriverOptions) {
    const { environment, storage, recovery, checkpoints } = options;
    this.#options = options;
    this.#environment = environment;
    this.#files = new CheckpointFiles(
      storage,
      environment,
      recovery.owner,
      checkpoints.numRetained,
      recovery.complete,
    );
    this.#nextId = recovery.nextCheckpointId;
    this.#foreign = recovery.manifest?.foreign ?? {};
    this.#writer = new CheckpointWriter(storage, environment, recovery.owner);
    this.#inlineBudget = new InlineBudget(storage, environment);
    this.#state = initialCoordinatorState(
      { ...checkpoints, startDelayMs: checkpoints.intervalMs },
      recovery.nextCheckpointId,
    );
    this.#beat();
  }

  /** The last one completed by this process; null if there is none. */
  get lastCheckpoint(): CompletedCheckpoint | null {
    return this.#last;
  }

  /**
   * What a new attempt restores: the latest complete checkpoint, this process's or the one that was
   * recovered; null: nothing. Ask between `end` has resolved and `start`.
   */
  get latestManifest(): Manifest | null {
    return this.#files.latest?.manifest ?? null;
  }

  /**
   * The next attempt is going to write and read runs; what the last one used is free. Between `end`
   * and `start`; an attempt without it uses nothing that is not acknowledged.
   */
  beginUse(): RunUse {
    assert(this.#gateway === null, 'the last attempt has ended');
    this.#use.end();
    this.#use = new RunUse((file) => {
      const copies = this.#options.recovery.copier?.copiesOf(file) ?? [];
      for (const name of [file, ...copies]) this.#files.propose(name, this.#nextId);
    });
    return this.#use;
  }

  /** An attempt runs and takes barriers. */
  start(gateway: TaskGateway): void {
    assert(this.#gateway === null, 'the last attempt has ended');
    this.#gateway = gateway;
    const { attempt, subtasks } = gateway;
    const { generation } = this.#options.recovery;
    const mayBeWritten = mayBeOf(generation, attempt);
    if (this.#attempts++ > 0) {
      this.#inBackground(() =>
        this.#files.sweep((name) => mayBeWritten(name) || this.#isInUse(name)),
      );
    }
    this.#copyForeign();
    this.#feed({ kind: 'start', attempt, subtasks });
  }

  /**
   * The attempt is over; its messages are ignored from here on.
   *
   * @returns resolves when it is known which checkpoint is the latest; after `job-stopped`, when
   *   nobody restores, not later than in ten seconds
   */
  async end(reason: 'job-failed' | 'job-stopped'): Promise<void> {
    this.#feed({ kind: 'end', reason });
    this.#gateway = null;
    const { owner, copier } = this.#options.recovery;
    copier?.interrupt();
    const cancel =
      reason === 'job-stopped'
        ? this.#environment.scheduler.after(STOP_PATIENCE_MS, () => owner.abandon())
        : () => {};
    await this.#background;
    cancel();
  }

  /** A message of a task; late and repeated ones change nothing. */
  onMessage(message: FromTask): void {
    if (message.kind === 'acknowledge') {
      const running = this.#running.get(message.checkpointId);
      if (running?.barrier.attempt === message.attempt) {
        running.acknowledged.set(message.subtask, message.snapshot);
      } else {
        this.#files.abandoned([message.snapshot], this.#nextId);
      }
    }
    this.#feed(message);
  }

  /** @throws CheckpointAbortedError */
  triggerCheckpoint(): Promise<CompletedCheckpoint> {
    return this.#request({ snapshotKind: 'checkpoint', stop: false }, null);
  }

  /** @throws CheckpointAbortedError */
  triggerSavepoint(target: SavepointTarget): Promise<CompletedCheckpoint> {
    return this.#request({ snapshotKind: 'savepoint', stop: false }, target);
  }

  /**
   * The last checkpoint of the job, or a savepoint with a `target`: nothing is triggered after it.
   * The host stops the sources first. If it is aborted, periodic checkpoints go on.
   *
   * @throws CheckpointAbortedError
   */
  stopWithCheckpoint(target: SavepointTarget | null): Promise<CompletedCheckpoint> {
    const snapshotKind = target === null ? 'checkpoint' : 'savepoint';
    return this.#request({ snapshotKind, stop: true }, target);
  }

  /** Deletes all checkpoints (`discardsAtEnd`). Between `end` and `close`. */
  async discardAll(): Promise<void> {
    await this.#options.recovery.owner.forgetAll(this.#state.nextCheckpointId);
    await this.#files.forgetAll();
    this.#last = null;
  }

  /** No later call. Does not wait for a storage that does not answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelWake();
    this.#cancelBeat();
    this.#options.recovery.owner.abandon();
    this.#options.recovery.copier?.abandon();
    await this.#background;
    await this.#options.recovery.owner.release();
  }

  #request(
    wanted: Pick<CheckpointRequest, 'snapshotKind' | 'stop'>,
    target: SavepointTarget | null,
  ): Promise<CompletedCheckpoint> {
    const requestId = ++this.#lastRequestId;
    const answer = Promise.withResolvers<CompletedCheckpoint>();
    this.#answers.set(requestId, answer);
    if (target !== null) this.#targets.set(requestId, target);
    this.#feed({ kind: 'request', requestId, ...wanted });
    return answer.promise;
  }

  #feed(event: CoordinatorEvent): void {
    this.#events.push(event);
    if (this.#isFeeding) return; // D1
    this.#isFeeding = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        const step = coordinatorStep(this.#state, next, this.#environment.clock.monotonicMs());
        this.#state = step.state;
        for (const command of step.commands) this.#carryOut(command);
      }
    } finally {
      this.#isFeeding = false;
    }
    this.#scheduleWake();
  }

  #carryOut(command: CoordinatorCommand): void {
    switch (command.kind) {
      case 'trigger':
        this.#trigger(command.checkpointId, command.request);
        break;
      case 'store':
        this.#inBackground(() => this.#store(command.checkpointId));
        break;
      case 'complete':
        this.#complete(command.checkpointId, command.request);
        break;
      case 'notifyComplete':
        this.#gateway?.notifyComplete(command.checkpointId);
        break;
      case 'abort':
        this.#abort(command);
        break;
      case 'reject':
        this.#reject(command.request, null, command.reason, '');
        break;
      case 'failJob':
        this.#failJob(command.checkpointId, command.reason, command.detail);
        break;
    }
  }

  #trigger(checkpointId: CheckpointId, request: CheckpointRequest): void {
    const { environment, checkpoints } = this.#options;
    const gateway = this.#gateway!;
    const barrier: CheckpointBarrier = {
      checkpointId,
      attempt: gateway.attempt,
      snapshotKind: request.snapshotKind,
      mode: checkpoints.mode,
      triggeredAtMs: environment.clock.nowMs(),
    };
    const running: Running = {
      barrier,
      startedAtMs: environment.clock.monotonicMs(),
      enumerators: {},
      acknowledged: new Map(),
      target: this.#targets.get(request.requestId ?? 0) ?? null,
      completed: null,
    };
    this.#running.set(checkpointId, running);
    this.#nextId = checkpointId + 1;
    try {
      running.enumerators = gateway.trigger(barrier);
    } catch (error) {
      gateway.fail(error);
    }
  }

  async #store(checkpointId: CheckpointId): Promise<void> {
    const running = this.#running.get(checkpointId)!;
    const pending = this.#state.pending.find((p) => p.checkpointId === checkpointId)!;
    const { recovery, jobName, fingerprint, operators } = this.#options;
    const { barrier, enumerators, acknowledged, target } = running;
    const told = manifestOf(
      {
        jobName,
        instanceId: recovery.instanceId,
        generation: recovery.generation,
        checkpointId,
        kind: barrier.snapshotKind,
        triggeredAtMs: barrier.triggeredAtMs,
        completedAtMs: this.#environment.clock.nowMs(),
        fingerprint,
        operators,
        enumerators,
      },
      acknowledged,
    );
    const isNewest = checkpointId > (this.#files.latest?.slot.checkpointId ?? 0);
    const isStop = pending.request.stop;
    let fitted: FittedManifest | null = null;
    try {
      const owned = await this.#withoutForeign(told);
      fitted = await this.#inlineBudget.fit(owned, () =>
        runPath(recovery.generation, barrier.attempt, 'm', ++this.#objects),
      );
      const manifest = this.#withFigures(fitted.manifest);
      const written = await this.#writer.write({ manifest, target, isStop, isNewest });
      running.completed = {
        checkpointId,
        kind: barrier.snapshotKind,
        path: written.path,
        triggeredAtMs: barrier.triggeredAtMs,
        durationMs: this.#environment.clock.monotonicMs() - running.startedAtMs,
        writtenBytes: manifest.figures.writtenBytes + manifest.figures.mergedBytes,
        totalBytes: sizeBytesOf(manifest),
        figures: manifest.figures,
      };
      if (written.entry !== null) {
        this.#inlineBudget.accept(fitted);
        this.#retain({ ...written.entry, manifest }, checkpointId);
        this.#tellForeignFree();
      } else if (fitted.file !== null) {
        this.#files.propose(fitted.file, this.#nextId);
      }
    } catch (error) {
      if (fitted !== null && fitted.file !== null) this.#files.propose(fitted.file, this.#nextId);
      this.#storeFailed(checkpointId, error);
      return;
    }
    this.#feed({ kind: 'stored', checkpointId });
  }

  // N1 of the copier.
  async #withoutForeign(told: Manifest): Promise<Manifest> {
    const { copier } = this.#options.recovery;
    await copier?.copied();
    return withForeign(copier?.withCopies(told) ?? told, this.#foreign);
  }

  #copyForeign(): void {
    const { copier } = this.#options.recovery;
    copier?.copied().catch((error: unknown) => {
      if (error instanceof CopyInterruptedError) return;
      const message = 'could not copy the restored snapshot; the next checkpoint tries again';
      this.#environment.logger.log('warn', message, { error });
    });
  }

  #isInUse(file: string): boolean {
    if (this.#use.isInUse(file)) return true;
    const { copier } = this.#options.recovery;
    if (copier === null) return false;
    const original = copier.originalOf(file);
    // What is copied before it is named is nobody's yet.
    return original !== null && (!this.#isForeignFree || this.#use.isInUse(original));
  }

  #withFigures(manifest: Manifest): Manifest & { readonly figures: CheckpointFigures } {
    const before = runIdsOf(this.latestManifest);
    for (const id of this.#options.recovery.copier?.copyIds ?? []) before.add(id);
    const figures = figuresOf(manifest, before, (file) => this.#use.uploadMsOf(file));
    return { ...manifest, figures };
  }

  // Deletes in the background of the next checkpoint: a commit does not wait for it.
  #retain(entry: Parameters<CheckpointFiles['completed']>[0], checkpointId: CheckpointId): void {
    const pending = new Map<CheckpointId, readonly SubtaskSnapshot[]>();
    for (const [id, { acknowledged }] of this.#running) {
      if (id !== checkpointId) pending.set(id, [...acknowledged.values()]);
    }
    const { owner } = this.#options.recovery;
    const deleted = this.#files.completed(entry, pending, this.#nextId, (file) =>
      this.#isInUse(file),
    );
    this.#inBackground(async () => {
      await deleted;
      const kept = this.#files.complete.map(({ sequence }) => sequence);
      await owner.prune(kept, this.#state.nextCheckpointId);
    });
  }

  #storeFailed(checkpointId: CheckpointId, error: unknown): void {
    if (this.#options.recovery.owner.isFenced) this.#gateway?.fail(error); // D3
    const isHarmless = error instanceof ManifestTakenError;
    this.#feed({ kind: 'storeFailed', checkpointId, reason: messageOf(error), isHarmless });
  }

  // V5 of the recovery.
  #tellForeignFree(): void {
    const { copier, manifest } = this.#options.recovery;
    if (copier === null || this.#isForeignFree) return;
    this.#isForeignFree = true;
    for (const { directory, isClaimed } of Object.values(manifest?.foreign ?? {})) {
      if (!isClaimed) this.#options.onEvent({ kind: 'released', directory });
    }
  }

  #complete(checkpointId: CheckpointId, request: CheckpointRequest): void {
    const running = this.#running.get(checkpointId)!;
    this.#running.delete(checkpointId);
    const completed = running.completed!;
    this.#last = completed;
    this.#options.onEvent({ kind: 'completed', checkpoint: completed });
    this.#answers.get(request.requestId ?? 0)?.resolve(completed);
    this.#forget(request);
  }

  #abort(command: Extract<CoordinatorCommand, { kind: 'abort' }>): void {
    const { checkpointId, request, reason, detail } = command;
    const running = this.#running.get(checkpointId);
    this.#running.delete(checkpointId);
    if (running !== undefined) {
      this.#files.abandoned(running.acknowledged.values(), this.#nextId);
    }
    this.#gateway?.notifyAborted(checkpointId);
    this.#options.onEvent({ kind: 'aborted', checkpointId, reason, detail, wasStop: request.stop });
    this.#reject(request, checkpointId, reason, detail);
  }

  #reject(
    request: CheckpointRequest,
    checkpointId: CheckpointId | null,
    reason: AbortReason,
    detail: string,
  ): void {
    const what = checkpointId === null ? request.snapshotKind : `checkpoint ${checkpointId}`;
    const why = detail === '' ? reason : `${reason}: ${detail}`;
    const error = new CheckpointAbortedError(`${what} did not complete (${why})`, {
      checkpointId,
      reason,
    });
    this.#answers.get(request.requestId ?? 0)?.reject(error);
    this.#forget(request);
  }

  #forget({ requestId }: CheckpointRequest): void {
    if (requestId === null) return;
    this.#answers.delete(requestId);
    this.#targets.delete(requestId);
  }

  #failJob(checkpointId: CheckpointId, reason: AbortReason, detail: string): void {
    if (this.#options.recovery.owner.isFenced) return; // D3
    const why = detail === '' ? reason : `${reason}: ${detail}`;
    this.#gateway?.fail(
      new TooManyCheckpointFailuresError(
        `checkpoint ${checkpointId} failed (${why}), and no more failures are tolerated`,
        { checkpointId, reason },
        { hint: 'Raise tolerableFailures if the job may go on without checkpoints for a while.' },
      ),
    );
  }

  #inBackground(run: () => Promise<void>): void {
    this.#background = this.#background.then(run).catch((error: unknown) => {
      if (this.#options.recovery.owner.isFenced) this.#gateway?.fail(error); // D3
      this.#environment.logger.log('warn', 'checkpoint storage failed', { error });
    });
  }

  #scheduleWake(): void {
    const wakeAtMs = this.#isClosed ? Number.POSITIVE_INFINITY : nextWakeMs(this.#state);
    if (wakeAtMs === this.#wakeAtMs) return;
    this.#cancelWake();
    this.#cancelWake = () => {};
    this.#wakeAtMs = wakeAtMs;
    if (wakeAtMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, wakeAtMs - this.#environment.clock.monotonicMs());
    this.#cancelWake = this.#environment.scheduler.after(delayMs, () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#feed({ kind: 'tick' });
    });
  }

  #beat(): void {
    void this.#options.recovery.owner.beat();
    this.#cancelBeat = this.#environment.scheduler.after(HEARTBEAT_MS, () => this.#beat());
  }
}

// What the running attempt may be writing, or nobody knows who.
function mayBeOf(generation: number, attempt: number): (name: string) => boolean {
  return (name) => {
    const origin = runOriginOf(name);
    if (origin === null) return name.startsWith(SHARED_PREFIX);
    return origin.generation === generation && origin.attempt === attempt;
  };
}
