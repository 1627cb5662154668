import type { CheckpointId } from '../element/element.ts';
import type { AbortReason } from '../protocol/messages.ts';
import type {
  CheckpointRequest,
  CoordinatorCommand,
  CoordinatorEvent,
  CoordinatorState,
  PendingCheckpoint,
} from './coordinator-state.ts';
import { nextWakeMs } from './coordinator-state.ts';
import { enqueue, mayTrigger } from './request-queue.ts';

// A checkpoint, as the coordinator sees it:
//
//   request --queue--> triggered --last ack--> acknowledged --its turn--> storing --> complete
//                          |                        |                        |
//          decline, timeout, end of attempt     subsumed, end          certainly not stored
//                          |                        |                        |
//                          +------------------------+------------------------+--> aborted
//
// P1. `complete` comes only after `stored`, and `notifyComplete` only after that.
// P2. Ids grow and are never used twice, over attempts too. An acknowledgement or decline of
//     another attempt, of an unknown or finished checkpoint, or a repeated one, changes nothing.
// P3. One checkpoint is stored at a time. While it is, nothing aborts it, not even the end of the
//     attempt: its outcome is not known before the storage has answered.
// P4. When a checkpoint completes, pending ones with a lower id are aborted (`subsumed`), but for
//     savepoints: somebody waits for those.
// P5. `minPauseMs` counts from the last completion, and only the timer's requests wait for it.
//     All but savepoints and stops wait for `maxConcurrent`.
// P6. More than `tolerableFailures` failures in a row fail the job. One checkpoint counts once;
//     what is nobody's fault does not count; a savepoint counts only if a task declined it.
// P7. After a stop request nothing else is triggered, and what was pending is given up, so that the
//     stop's checkpoint is the last one; if that is aborted, the timer goes on.

/** Declines that are no failures: the task was not ready, or passes on what another one said. */
const UNCOUNTED_DECLINES: ReadonlySet<string> = new Set([
  'task-not-ready',
  'task-closing',
  'task-not-checkpointing',
  'cancelled',
  'subsumed',
  'end-of-input',
]);

/** The outcome of a step. */
export interface CoordinatorStep {
  readonly state: CoordinatorState;
  readonly commands: readonly CoordinatorCommand[];
}

/**
 * Decides what happens to checkpoints. Pure: no clock, no I/O; O(pending + queue).
 *
 * @param nowMs a clock that does not go back; the same one for all steps
 */
export function coordinatorStep(
  state: CoordinatorState,
  event: CoordinatorEvent,
  nowMs: number,
): CoordinatorStep {
  const step = new Step(state, nowMs);
  switch (event.kind) {
    case 'start':
      step.start(event);
      break;
    case 'end':
      step.end(event.reason);
      break;
    case 'tick':
      step.tick();
      break;
    case 'request':
      step.request({ ...event, requestedAtMs: nowMs });
      break;
    case 'acknowledge':
      step.acknowledge(event);
      break;
    case 'decline':
      step.decline(event);
      break;
    case 'stored':
      step.stored(event.checkpointId);
      break;
    case 'storeFailed':
      step.storeFailed(event.checkpointId, event.reason, event.isHarmless ?? false);
      break;
  }
  return { state: step.state, commands: step.commands };
}

/** One step in the making; lives no longer than the call. */
class Step {
  state: CoordinatorState;
  readonly commands: CoordinatorCommand[] = [];
  #nowMs: number;

  constructor(state: CoordinatorState, nowMs: number) {
    this.state = state;
    this.#nowMs = nowMs;
  }

  start({ attempt, subtasks }: Extract<CoordinatorEvent, { kind: 'start' }>): void {
    this.end('job-failed');
    const { startDelayMs, minPauseMs } = this.state.options;
    this.#set({ attempt, subtasks, isStopping: false });
    this.#schedule(Math.max(startDelayMs, minPauseMs));
  }

  end(reason: 'job-failed' | 'job-stopped'): void {
    this.#giveUpAll(reason);
    this.#set({ attempt: null, nextPeriodicAtMs: Number.POSITIVE_INFINITY });
  }

  /** What is due happens in order of its time, even if the clock has jumped over several. */
  tick(): void {
    const nowMs = this.#nowMs;
    for (let dueMs = nextWakeMs(this.state); dueMs <= nowMs; dueMs = nextWakeMs(this.state)) {
      this.#nowMs = dueMs;
      const late = this.state.pending.find(
        ({ phase, triggeredAtMs }) =>
          phase === 'triggered' && triggeredAtMs + this.state.options.timeoutMs <= dueMs,
      );
      if (late !== undefined) {
        this.#abort(late, 'timeout', `no answer from ${[...late.missing].join(', ')}`);
        if (late.request.snapshotKind === 'checkpoint') this.#countFailure(late, 'timeout', '');
        this.#triggerQueued();
      } else {
        this.#schedule(this.state.options.intervalMs);
        this.#admit({
          requestId: null,
          snapshotKind: 'checkpoint',
          stop: false,
          requestedAtMs: dueMs,
        });
      }
    }
    this.#nowMs = nowMs;
  }

  request(wanted: CheckpointRequest & { readonly kind: 'request' }): void {
    const { requestId, snapshotKind, stop, requestedAtMs } = wanted;
    const request = { requestId, snapshotKind, stop, requestedAtMs };
    if (this.state.attempt === null || this.state.isStopping) {
      const reason = this.state.isStopping ? 'job-stopped' : 'job-failed';
      this.commands.push({ kind: 'reject', request, reason });
      return;
    }
    if (stop) {
      this.#giveUpAll('job-stopped'); // P7
      this.#set({ isStopping: true, nextPeriodicAtMs: Number.POSITIVE_INFINITY });
    }
    this.#admit(request);
  }

  acknowledge(event: Extract<CoordinatorEvent, { kind: 'acknowledge' }>): void {
    const pending = this.#find(event.checkpointId, event.attempt);
    if (pending?.phase !== 'triggered' || !pending.missing.has(event.subtask)) return; // P2
    const missing = new Set(pending.missing);
    missing.delete(event.subtask);
    const phase = missing.size === 0 ? 'acknowledged' : 'triggered';
    this.#replace({ ...pending, missing, phase });
    this.#storeNext();
  }

  decline(event: Extract<CoordinatorEvent, { kind: 'decline' }>): void {
    const pending = this.#find(event.checkpointId, event.attempt);
    if (pending?.phase !== 'triggered') return; // P2
    const detail = event.reason;
    this.#abort(pending, 'declined', detail);
    if (pending.request.stop) {
      // The tasks may have begun to end: only a restart brings them back.
      this.#failJob(pending.checkpointId, 'declined', detail);
    } else if (!UNCOUNTED_DECLINES.has(detail)) {
      this.#countFailure(pending, 'declined', detail);
    }
    this.#triggerQueued();
  }

  stored(checkpointId: CheckpointId): void {
    const done = this.#takeStoring(checkpointId);
    if (done === undefined) return;
    this.commands.push({ kind: 'complete', checkpointId, request: done.request });
    this.#set({ lastCompletedAtMs: this.#nowMs });
    if (checkpointId > this.state.lastCompletedId) {
      this.#set({ lastCompletedId: checkpointId, consecutiveFailures: 0 });
    }
    if (done.request.snapshotKind === 'checkpoint') this.#subsumeBelow(checkpointId);
    // P3: the attempt may have ended meanwhile, then there is nobody to tell.
    if (done.attempt === this.state.attempt) {
      this.commands.push({ kind: 'notifyComplete', checkpointId });
    }
    this.#storeNext();
    this.#triggerQueued();
  }

  storeFailed(checkpointId: CheckpointId, detail: string, isHarmless: boolean): void {
    const failed = this.#takeStoring(checkpointId);
    if (failed === undefined) return;
    this.#aborted(failed, 'storage-failed', detail);
    const isOfPeriod = failed.request.snapshotKind === 'checkpoint';
    if (failed.attempt === this.state.attempt && isOfPeriod && !isHarmless) {
      this.#countFailure(failed, 'storage-failed', detail);
    }
    this.#storeNext();
    this.#triggerQueued();
  }

  #admit(request: CheckpointRequest): void {
    const { queue, dropped } = enqueue(this.state.queue, request);
    this.#set({ queue });
    if (dropped !== null) {
      this.commands.push({ kind: 'reject', request: dropped, reason: 'too-many-pending' });
    }
    this.#triggerQueued();
  }

  #triggerQueued(): void {
    while (this.state.attempt !== null && this.state.queue.length > 0) {
      const decision = mayTrigger(this.state, this.#nowMs);
      if (decision.kind === 'wait') return;
      const [request, ...queue] = this.state.queue;
      this.#set({ queue });
      if (decision.kind === 'trigger') this.#trigger(request!);
      else this.#set({ nextPeriodicAtMs: decision.againAtMs });
    }
  }

  #trigger(request: CheckpointRequest): void {
    const { nextCheckpointId: checkpointId, attempt, subtasks } = this.state;
    const pending: PendingCheckpoint = {
      checkpointId,
      attempt: attempt!,
      request,
      triggeredAtMs: this.#nowMs,
      phase: subtasks.length === 0 ? 'acknowledged' : 'triggered',
      missing: new Set(subtasks),
    };
    this.#set({
      nextCheckpointId: checkpointId + 1,
      pending: [...this.state.pending, pending],
    });
    this.commands.push({ kind: 'trigger', checkpointId, attempt: attempt!, request });
    this.#storeNext();
  }

  #storeNext(): void {
    if (this.state.pending.some(({ phase }) => phase === 'storing')) return; // P3
    const next = this.state.pending.find(({ phase }) => phase === 'acknowledged');
    if (next === undefined) return;
    this.#replace({ ...next, phase: 'storing' });
    this.commands.push({ kind: 'store', checkpointId: next.checkpointId });
  }

  #subsumeBelow(checkpointId: CheckpointId): void {
    for (const pending of this.state.pending) {
      if (pending.checkpointId < checkpointId && pending.request.snapshotKind === 'checkpoint') {
        this.#abort(pending, 'subsumed', `checkpoint ${checkpointId} is complete`); // P4
      }
    }
  }

  #giveUpAll(reason: AbortReason): void {
    for (const pending of this.state.pending) {
      if (pending.phase !== 'storing') this.#abort(pending, reason, ''); // P3
    }
    for (const request of this.state.queue) this.commands.push({ kind: 'reject', request, reason });
    this.#set({ queue: [] });
  }

  #abort(pending: PendingCheckpoint, reason: AbortReason, detail: string): void {
    this.#remove(pending.checkpointId);
    this.#aborted(pending, reason, detail);
  }

  #aborted(pending: PendingCheckpoint, reason: AbortReason, detail: string): void {
    const { checkpointId, request } = pending;
    this.commands.push({ kind: 'abort', checkpointId, request, reason, detail });
    if (request.stop && this.state.isStopping && pending.attempt === this.state.attempt) {
      this.#set({ isStopping: false }); // P7
      this.#schedule(this.state.options.intervalMs);
    }
  }

  #countFailure(failed: PendingCheckpoint, reason: AbortReason, detail: string): void {
    if (failed.checkpointId < this.state.lastCompletedId) return;
    this.#set({ consecutiveFailures: this.state.consecutiveFailures + 1 });
    if (this.state.consecutiveFailures <= this.state.options.tolerableFailures) return;
    this.#failJob(failed.checkpointId, reason, detail);
  }

  #failJob(checkpointId: CheckpointId, reason: AbortReason, detail: string): void {
    this.#set({ consecutiveFailures: 0 });
    this.commands.push({ kind: 'failJob', checkpointId, reason, detail });
  }

  #schedule(delayMs: number): void {
    const { intervalMs } = this.state.options;
    const isPeriodic = Number.isFinite(intervalMs) && !this.state.isStopping;
    this.#set({ nextPeriodicAtMs: isPeriodic ? this.#nowMs + delayMs : Number.POSITIVE_INFINITY });
  }

  #find(checkpointId: CheckpointId, attempt: number): PendingCheckpoint | undefined {
    return this.state.pending.find(
      (pending) => pending.checkpointId === checkpointId && pending.attempt === attempt,
    );
  }

  #takeStoring(checkpointId: CheckpointId): PendingCheckpoint | undefined {
    const found = this.state.pending.find(
      (pending) => pending.checkpointId === checkpointId && pending.phase === 'storing',
    );
    if (found !== undefined) this.#remove(checkpointId);
    return found;
  }

  #remove(checkpointId: CheckpointId): void {
    this.#set({ pending: this.state.pending.filter((p) => p.checkpointId !== checkpointId) });
  }

  #replace(changed: PendingCheckpoint): void {
    const { checkpointId } = changed;
    this.#set({
      pending: this.state.pending.map((p) => (p.checkpointId === checkpointId ? changed : p)),
    });
  }

  #set(change: Partial<CoordinatorState>): void {
    this.state = { ...this.state, ...change };
  }
}
