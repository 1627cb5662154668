import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import type { CheckpointBarrier, CheckpointId } from '../element/element.ts';
import type { FromTask, SubtaskId, ToTask } from '../protocol/messages.ts';
import type { SourceSplit } from '../function/source.ts';
import type { GateEvent, InputGate } from '../task/channel/input-gate.ts';
import type { Task } from '../task/task.ts';

/** What the coordinating side sends to a task; handled in order, between two batches. */
export type Control =
  | ToTask
  | { readonly kind: 'addSplits'; readonly splits: readonly SourceSplit[] }
  | { readonly kind: 'noMoreSplits' }
  | { readonly kind: 'setPaused'; readonly paused: boolean }
  | { readonly kind: 'stopReading'; readonly drain: boolean }
  | { readonly kind: 'tick' }
  /** Calls back when all that was sent before has been handled. */
  | { readonly kind: 'handled'; readonly callBack: () => void };

/** How long a turn may last. */
export interface TurnLimits {
  /** Milliseconds after which a task gives the thread back. */
  readonly maxMs: number;
  /** Elements (batches, watermarks, ...) per turn; the simulator takes 1. */
  readonly maxElements: number;
}

/** What a runner tells its execution. */
export interface RunnerEvents {
  toCoordinator(message: FromTask): void;
  onFinished(subtask: SubtaskId): void;
  onFailure(error: unknown): void;
}

/**
 * Drives one task: gives it turns, and carries out its effects.
 *
 * N1. One turn at a time; a turn does, in this order: what is left over, control messages, woken
 *     operators, due timers, input. Each only if the one before left nothing unfinished.
 * N2. A turn that made progress and could go on is followed by another through the scheduler, so
 *     that every task and all I/O have their turn.
 * N3. After `stop` nothing is called any more.
 */
export class TaskRunner {
  readonly subtask: SubtaskId;
  readonly task: Task;
  readonly #gate: InputGate | null;
  readonly #environment: Environment;
  readonly #limits: TurnLimits;
  readonly #events: RunnerEvents;
  #controls: Control[] = [];
  #scheduled = false;
  #stopped = false;
  #finishedTold = false;
  #waiting = false;
  #deadlineMs = 0;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #cancelTimer: () => void = () => {};

  constructor(options: {
    readonly subtask: SubtaskId;
    readonly task: Task;
    readonly gate: InputGate | null;
    readonly environment: Environment;
    readonly limits: TurnLimits;
    readonly events: RunnerEvents;
  }) {
    this.subtask = options.subtask;
    this.task = options.task;
    this.#gate = options.gate;
    this.#environment = options.environment;
    this.#limits = options.limits;
    this.#events = options.events;
  }

  /** For `TaskHost.turnIsOver`. */
  turnIsOver(): boolean {
    return this.#environment.clock.monotonicMs() >= this.#deadlineMs;
  }

  send(control: Control): void {
    this.#controls.push(control);
    this.requestTurn();
  }

  /** Asks for a turn; several calls before it make one. */
  requestTurn(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#environment.scheduler.defer(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#turn();
    });
  }

  /** N3. The task itself is closed by whoever stops the runner. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  #turn(): void {
    this.#deadlineMs = this.#environment.clock.monotonicMs() + this.#limits.maxMs;
    try {
      let elements = 0;
      let progress = true;
      while (progress && elements < this.#limits.maxElements && !this.#stopped) {
        progress = this.#work();
        elements++;
        if (progress && this.turnIsOver()) break;
      }
      this.task.flush();
      if (progress) this.requestTurn();
      this.#armTimer();
      this.#tellFinished();
    } catch (error) {
      this.#events.onFailure(error);
    }
  }

  // One piece of work. @returns false if there is nothing to do until something happens
  #work(): boolean {
    const { task } = this;
    if (task.isBusy) {
      if (task.isBlocked()) return false; // a channel's onSpace or a wake brings us back
      task.resume();
      return true;
    }
    const control = this.#controls.shift();
    if (control !== undefined) {
      this.#onControl(control);
      return true;
    }
    if (task.isWoken) {
      task.wake();
      return true;
    }
    const nowMs = this.#environment.clock.nowMs();
    if (task.nextProcessingTimeMs <= nowMs) {
      task.timerDue(nowMs);
      return true;
    }
    if (task.isBlocked()) return false;
    return task.isSource ? this.#poll() : this.#input();
  }

  #poll(): boolean {
    if (this.#waiting) return false;
    const polled = this.task.poll();
    if (polled === 'wait') {
      this.#waiting = true;
      this.task.available().then(
        () => {
          this.#waiting = false;
          this.requestTurn();
        },
        (error: unknown) => this.#events.onFailure(error),
      );
    }
    return polled === 'polled' || this.task.isBusy;
  }

  #input(): boolean {
    const event = this.#gate?.next();
    if (event === undefined) return false;
    this.#onGateEvent(event);
    return true;
  }

  #onGateEvent(event: GateEvent): void {
    switch (event.kind) {
      case 'batch':
        this.task.batch(event.input, event.batch);
        break;
      case 'watermark':
        this.task.watermark(event.input, event.timeMs);
        break;
      case 'idle':
        this.task.idle(event.input, event.idle);
        break;
      case 'endInput':
        this.task.endInput(event.input);
        break;
      case 'aligned':
        this.#snapshot(event.barrier, event.alignmentMs);
        break;
      case 'aborted':
        this.#abort(event.checkpointId, event.reason);
        break;
      case 'nothing':
        break;
    }
  }

  #onControl(control: Control): void {
    const { task } = this;
    switch (control.kind) {
      case 'triggerCheckpoint':
        // Sources, and tasks whose inputs have all ended: nobody else sends them a barrier.
        this.#snapshot(control.barrier, 0);
        break;
      case 'checkpointComplete':
        task.complete(control.checkpointId);
        break;
      case 'checkpointAborted':
        this.#gate?.abort(control.checkpointId); // releases channels that wait for its barriers
        task.aborted(control.checkpointId);
        break;
      case 'addSplits':
        task.addSplits(control.splits);
        this.#waiting = false;
        break;
      case 'noMoreSplits':
        task.noMoreSplits();
        this.#waiting = false;
        break;
      case 'setPaused':
        task.setPaused(control.paused);
        this.#waiting = false;
        break;
      case 'stopReading':
        task.stopReading(control.drain);
        break;
      case 'handled':
        control.callBack();
        break;
      case 'tick':
        task.tick(this.#environment.clock.nowMs());
        break;
    }
  }

  #snapshot(barrier: CheckpointBarrier, alignmentMs: number): void {
    const { clock } = this.#environment;
    const startedAtMs = clock.monotonicMs();
    const frozen = this.task.barrier(barrier);
    const freezeMs = clock.monotonicMs() - startedAtMs;
    const { attempt, checkpointId } = barrier;
    const { subtask } = this;
    this.task.persist(frozen, barrier).then(
      (snapshot) =>
        this.#tell({
          kind: 'acknowledge',
          attempt,
          subtask,
          checkpointId,
          snapshot,
          alignmentMs,
          freezeMs,
        }),
      (error: unknown) =>
        this.#tell({
          kind: 'decline',
          attempt,
          subtask,
          checkpointId,
          reason: messageOf(error),
        }),
    );
  }

  #abort(checkpointId: CheckpointId, reason: string): void {
    this.task.cancelBarrier(checkpointId);
    const { subtask } = this;
    const attempt = this.#gate!.attempt;
    this.#tell({ kind: 'decline', attempt, subtask, checkpointId, reason });
  }

  #tell(message: FromTask): void {
    if (!this.#stopped) this.#events.toCoordinator(message);
  }

  #tellFinished(): void {
    if (this.#finishedTold || !this.task.isFinished) return;
    this.#finishedTold = true;
    this.#events.onFinished(this.subtask);
  }

  #armTimer(): void {
    const atMs = this.task.nextProcessingTimeMs;
    if (atMs === this.#timerAtMs || this.#stopped) return;
    this.#cancelTimer();
    this.#timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, atMs - this.#environment.clock.nowMs());
    this.#cancelTimer = this.#environment.scheduler.after(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.requestTurn();
    });
  }
}
