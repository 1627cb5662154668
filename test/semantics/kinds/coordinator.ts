import { coordinatorStep } from '../../../packages/core/src/coordinator/checkpoint-coordinator.ts';
import {
  type CoordinatorCommand,
  type CoordinatorEvent,
  type CoordinatorOptions,
  initialCoordinatorState,
  nextWakeMs,
} from '../../../packages/core/src/coordinator/coordinator-state.ts';
import {
  retain,
  type RetainedCheckpoint,
} from '../../../packages/core/src/checkpoint/retention.ts';
import { type CaseKind, type Data, dataOf, notSupported, numberOf, onlyKnown } from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** When checkpoints are triggered, complete, fail. */
export const coordinatorKind: CaseKind = {
  name: 'coordinator',
  variants: (testCase) => [
    stepVariant(
      testCase,
      () => {
        const run = new CoordinatorRun(dataOf(testCase.job.coordinator));
        return (step, nowMs) => run.step(step, nowMs);
      },
      { clockIsAStep: true },
    ),
  ],
};

class CoordinatorRun {
  readonly #tasks: readonly string[];
  #state;
  #nowMs = 0;
  #attempt = 1;
  #requests = 0;
  #items: Data[] = [];

  constructor(job: Data) {
    const names = ['intervalMs', 'startDelayMs', 'timeoutMs', 'minPauseMs', 'maxConcurrent'];
    onlyKnown(job, 'coordinator', ...names, 'tolerableFailures', 'numRetained', 'tasks');
    const options: CoordinatorOptions = {
      intervalMs: numberOf(job.intervalMs),
      startDelayMs: numberOf(job.startDelayMs),
      timeoutMs: numberOf(job.timeoutMs),
      minPauseMs: numberOf(job.minPauseMs),
      maxConcurrent: numberOf(job.maxConcurrent),
      tolerableFailures: numberOf(job.tolerableFailures),
    };
    this.#tasks = job.tasks as readonly string[];
    this.#state = initialCoordinatorState(options, 1);
    this.#send({ kind: 'start', attempt: 1, subtasks: this.#tasks });
  }

  step(step: Data, nowMs: number): readonly Data[] {
    if (step.clock !== undefined) this.#advance(nowMs);
    else if (step.ack !== undefined) this.#acknowledge(dataOf(step.ack));
    else if (step.decline !== undefined) this.#decline(dataOf(step.decline));
    else if (step.savepoint !== undefined) {
      const stop = step.savepoint === 'stop';
      const requestId = ++this.#requests;
      this.#send({ kind: 'request', requestId, snapshotKind: 'savepoint', stop });
    } else if (step.restart === true) this.#restart();
    else if (step.inspectQueue === true) {
      this.#items.push({ queued: this.#state.queue.length });
    } else notSupported(`step ${JSON.stringify(step)}`);
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #advance(nowMs: number): void {
    for (let wakeMs = nextWakeMs(this.#state); wakeMs <= nowMs; wakeMs = nextWakeMs(this.#state)) {
      this.#nowMs = Math.max(this.#nowMs, wakeMs);
      this.#send({ kind: 'tick' });
    }
    this.#nowMs = nowMs;
  }

  #acknowledge({ checkpoint, tasks }: Data): void {
    for (const subtask of tasks as readonly string[]) {
      const checkpointId = numberOf(checkpoint);
      this.#send({ kind: 'acknowledge', attempt: this.#attempt, checkpointId, subtask });
    }
  }

  #decline({ checkpoint, task, reason }: Data): void {
    this.#send({
      kind: 'decline',
      attempt: this.#attempt,
      checkpointId: numberOf(checkpoint),
      subtask: String(task),
      reason: String(reason ?? 'declined'),
    });
  }

  #restart(): void {
    this.#send({ kind: 'end', reason: 'job-failed' });
    this.#attempt++;
    this.#send({ kind: 'start', attempt: this.#attempt, subtasks: this.#tasks });
  }

  #send(event: CoordinatorEvent): void {
    const { state, commands } = coordinatorStep(this.#state, event, this.#nowMs);
    this.#state = state;
    for (const command of commands) this.#carryOut(command);
  }

  #carryOut(command: CoordinatorCommand): void {
    switch (command.kind) {
      case 'trigger': {
        const isSavepoint = command.request.snapshotKind === 'savepoint';
        const savepoint = isSavepoint ? { savepoint: true } : {};
        this.#items.push({ trigger: command.checkpointId, ...savepoint });
        return;
      }
      case 'store': // the storage of the cases never fails and takes no time
        this.#send({ kind: 'stored', checkpointId: command.checkpointId });
        return;
      case 'complete':
        this.#items.push({ complete: command.checkpointId });
        return;
      case 'notifyComplete':
        this.#items.push({ notifyComplete: command.checkpointId });
        return;
      case 'abort':
        this.#items.push({ abort: command.checkpointId, reason: reasonOf(command) });
        return;
      case 'failJob':
        this.#items.push({ failJob: true });
        return;
      case 'reject':
        this.#items.push({ reject: true, reason: command.reason });
        return;
    }
  }
}

// Flink's names. A decline that is nobody's fault is called by its own reason.
function reasonOf({ reason, detail }: CoordinatorCommand & { kind: 'abort' }): string {
  switch (reason) {
    case 'timeout':
      return 'expired';
    case 'job-failed':
    case 'job-stopped':
      return 'coordinator-suspended';
    case 'declined':
      return detail === '' ? reason : detail;
    default:
      return reason;
  }
}

/** Which complete checkpoints stay. */
export const retentionKind: CaseKind = {
  name: 'retention',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const numRetained = numberOf(dataOf(testCase.job.retention).numRetained);
      let complete: readonly RetainedCheckpoint[] = [];
      return (step) => {
        onlyKnown(step, 'step', 'complete', 'savepoint', 'stop');
        const checkpoint: RetainedCheckpoint = {
          checkpointId: numberOf(step.complete),
          snapshotKind: step.savepoint === true ? 'savepoint' : 'checkpoint',
          isStop: step.stop === true,
        };
        const { retained, dropped } = retain([...complete, checkpoint], numRetained);
        complete = retained;
        const deleted = dropped.filter(({ snapshotKind }) => snapshotKind === 'checkpoint');
        const ids = (list: readonly RetainedCheckpoint[]) => list.map((one) => one.checkpointId);
        return [{ retained: ids(retained), deletedFiles: ids(deleted) }];
      };
    }),
  ],
};
