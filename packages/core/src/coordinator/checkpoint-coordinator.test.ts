// Goal: every edge of the drawing and each of P1 to P7. Method: one step after the other, commands
// as short texts; what is stored is stored at once unless the test says otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coordinatorStep } from './checkpoint-coordinator.ts';
import {
  type CoordinatorCommand,
  type CoordinatorEvent,
  type CoordinatorOptions,
  initialCoordinatorState,
  nextWakeMs,
} from './coordinator-state.ts';
import { QUEUED_COUNT_MAX } from './request-queue.ts';

const NEVER = Number.POSITIVE_INFINITY;

class Bed {
  state;
  nowMs = 0;
  storesAtOnce = true;
  #requests = 0;

  constructor(options: Partial<CoordinatorOptions> = {}) {
    this.state = initialCoordinatorState(
      {
        intervalMs: NEVER,
        startDelayMs: 1_000,
        timeoutMs: 10_000,
        minPauseMs: 0,
        maxConcurrent: 1,
        tolerableFailures: 0,
        ...options,
      },
      1,
    );
    this.feed({ kind: 'start', attempt: 1, subtasks: ['a', 'b'] });
  }

  feed(event: CoordinatorEvent): string[] {
    const step = coordinatorStep(this.state, event, this.nowMs);
    this.state = step.state;
    return step.commands.flatMap((command) => {
      if (command.kind !== 'store' || !this.storesAtOnce) return [textOf(command)];
      return this.feed({ kind: 'stored', checkpointId: command.checkpointId });
    });
  }

  tick(ms: number): string[] {
    this.nowMs += ms;
    return this.feed({ kind: 'tick' });
  }

  request(snapshotKind: 'checkpoint' | 'savepoint' = 'checkpoint', stop = false): string[] {
    return this.feed({ kind: 'request', requestId: ++this.#requests, snapshotKind, stop });
  }

  ack(checkpointId: number, subtasks = 'ab', attempt = 1): string[] {
    return [...subtasks].flatMap((subtask) =>
      this.feed({ kind: 'acknowledge', attempt, checkpointId, subtask }),
    );
  }

  decline(checkpointId: number, reason = 'disk full', subtask = 'a'): string[] {
    return this.feed({ kind: 'decline', attempt: 1, checkpointId, subtask, reason });
  }
}

function textOf(command: CoordinatorCommand): string {
  switch (command.kind) {
    case 'trigger':
      return `trigger ${command.checkpointId}`;
    case 'reject':
      return `reject ${command.request.requestId} ${command.reason}`;
    case 'abort':
      return `abort ${command.checkpointId} ${command.reason}`;
    case 'failJob':
      return 'failJob';
    default:
      return `${command.kind} ${command.checkpointId}`;
  }
}

test('coordinatorStep completes when all have acknowledged and it is stored, in this order', () => {
  const bed = new Bed();
  bed.storesAtOnce = false;
  assert.deepEqual(bed.request(), ['trigger 1']);
  assert.deepEqual(bed.ack(1, 'a'), []);
  assert.deepEqual(bed.ack(1, 'a'), [], 'a repeated one changes nothing (P2)');
  assert.deepEqual(bed.ack(1, 'b', 9), [], 'one of another attempt neither');
  assert.deepEqual(bed.ack(1, 'b'), ['store 1']);
  assert.deepEqual(bed.feed({ kind: 'stored', checkpointId: 1 }), [
    'complete 1',
    'notifyComplete 1',
  ]);
  assert.deepEqual(bed.feed({ kind: 'stored', checkpointId: 1 }), []);
  assert.deepEqual(bed.ack(1), []);
  assert.deepEqual(bed.decline(1), []);
});

test('coordinatorStep triggers at a fixed rate from the start delay on', () => {
  const bed = new Bed({ intervalMs: 500, startDelayMs: 1_000 });
  assert.equal(nextWakeMs(bed.state), 1_000);
  assert.deepEqual(bed.tick(999), []);
  assert.deepEqual(bed.tick(1), ['trigger 1']);
  bed.ack(1);
  assert.deepEqual(bed.tick(500), ['trigger 2']);
});

test('coordinatorStep does in order what a jump of the clock passed over', () => {
  const bed = new Bed({
    intervalMs: 1_000,
    timeoutMs: 1_500,
    maxConcurrent: 9,
    tolerableFailures: 9,
  });
  assert.deepEqual(bed.tick(3_000), ['trigger 1', 'trigger 2', 'abort 1 timeout', 'trigger 3']);
});

test('coordinatorStep waits for the pause after a completion, and then triggers at once', () => {
  const bed = new Bed({ intervalMs: 1_000, minPauseMs: 900 });
  bed.tick(1_000);
  bed.nowMs += 400;
  bed.ack(1);
  assert.deepEqual(bed.tick(600), [], '2 000: too early');
  assert.equal(nextWakeMs(bed.state), 2_300);
  assert.deepEqual(bed.tick(300), ['trigger 2']);
});

test('coordinatorStep does not let a caller wait for the pause, but for the limit', () => {
  const bed = new Bed({ minPauseMs: 5_000 });
  bed.request();
  assert.deepEqual(bed.request(), []);
  assert.deepEqual(bed.ack(1), ['complete 1', 'notifyComplete 1', 'trigger 2']);
});

test('coordinatorStep lets savepoints wait for nothing and pass others in the queue', () => {
  const bed = new Bed({ minPauseMs: 5_000 });
  bed.request();
  bed.request();
  assert.deepEqual(bed.request('savepoint'), ['trigger 2']);
  assert.deepEqual(bed.request('savepoint'), ['trigger 3']);
  assert.equal(bed.state.queue.length, 1);
});

test('coordinatorStep subsumes older checkpoints but no savepoints (P4)', () => {
  const bed = new Bed({ maxConcurrent: 4 });
  bed.request('savepoint');
  bed.request();
  bed.request();
  assert.deepEqual(bed.ack(3), ['complete 3', 'abort 2 subsumed', 'notifyComplete 3']);
  assert.deepEqual(bed.ack(2), []);
  assert.deepEqual(bed.ack(1), ['complete 1', 'notifyComplete 1']);
  assert.equal(bed.state.lastCompletedId, 3);
});

test('coordinatorStep subsumes nothing because of a savepoint', () => {
  const bed = new Bed({ maxConcurrent: 4 });
  bed.request();
  bed.request('savepoint');
  assert.deepEqual(bed.ack(2), ['complete 2', 'notifyComplete 2']);
  assert.deepEqual(bed.ack(1), ['complete 1', 'notifyComplete 1']);
});

test('coordinatorStep stores one at a time, oldest first, and aborts none meanwhile', () => {
  const bed = new Bed({ maxConcurrent: 4 });
  bed.storesAtOnce = false;
  for (let i = 0; i < 3; i++) bed.request();
  assert.deepEqual(bed.ack(1), ['store 1']);
  assert.deepEqual([...bed.ack(3), ...bed.ack(2)], []);
  assert.deepEqual(bed.tick(10_000), [], 'acknowledged: no timeout any more');
  assert.deepEqual(bed.feed({ kind: 'stored', checkpointId: 1 }), [
    'complete 1',
    'notifyComplete 1',
    'store 2',
  ]);
});

test('coordinatorStep counts failures in a row, each checkpoint once (P6)', () => {
  const bed = new Bed({ tolerableFailures: 1 });
  bed.request();
  assert.deepEqual(bed.decline(1), ['abort 1 declined']);
  assert.deepEqual(bed.decline(1, 'disk full', 'b'), []);
  bed.request();
  bed.ack(2);
  bed.request();
  assert.deepEqual(bed.decline(3), ['abort 3 declined'], 'a success between: from the beginning');
  bed.request();
  assert.deepEqual(bed.tick(10_000), ['abort 4 timeout', 'failJob']);
});

test('coordinatorStep does not count what is nobody’s fault', () => {
  const bed = new Bed();
  for (const reason of ['task-not-ready', 'cancelled', 'subsumed', 'end-of-input']) {
    bed.request();
    const id = bed.state.nextCheckpointId - 1;
    assert.deepEqual(bed.decline(id, reason), [`abort ${id} declined`]);
  }
});

test('coordinatorStep counts a savepoint only if a task declined it', () => {
  const bed = new Bed();
  bed.request('savepoint');
  assert.deepEqual(bed.tick(10_000), ['abort 1 timeout']);
  bed.request('savepoint');
  assert.deepEqual(bed.decline(2), ['abort 2 declined', 'failJob']);
});

test('coordinatorStep counts a failed store, and triggers what waited', () => {
  const bed = new Bed({ tolerableFailures: 1 });
  bed.storesAtOnce = false;
  bed.request();
  bed.request();
  bed.ack(1);
  const failed = (checkpointId: number) =>
    bed.feed({ kind: 'storeFailed', checkpointId, reason: 'full' });
  assert.deepEqual(failed(1), ['abort 1 storage-failed', 'trigger 2']);
  bed.ack(2);
  assert.deepEqual(failed(2), ['abort 2 storage-failed', 'failJob']);
});

test('coordinatorStep never uses an id twice, over attempts too (P2)', () => {
  const bed = new Bed({ intervalMs: 1_000, minPauseMs: 1_000 });
  bed.tick(1_000);
  assert.deepEqual(bed.feed({ kind: 'end', reason: 'job-failed' }), ['abort 1 job-failed']);
  assert.equal(nextWakeMs(bed.state), NEVER);
  bed.feed({ kind: 'start', attempt: 2, subtasks: ['a', 'b'] });
  assert.deepEqual(bed.ack(1), []);
  assert.deepEqual(bed.tick(1_000), ['trigger 2']);
  assert.deepEqual(bed.ack(2, 'ab', 1), []);
  assert.deepEqual(bed.ack(2, 'ab', 2), ['complete 2', 'notifyComplete 2']);
});

test('coordinatorStep completes what was stored while the attempt ended, and tells nobody', () => {
  const bed = new Bed();
  bed.storesAtOnce = false;
  bed.request();
  bed.ack(1);
  bed.request();
  assert.deepEqual(bed.feed({ kind: 'end', reason: 'job-failed' }), ['reject 2 job-failed']);
  assert.deepEqual(bed.feed({ kind: 'stored', checkpointId: 1 }), ['complete 1']);
});

test('coordinatorStep gives up all else for a stop and triggers nothing after it (P7)', () => {
  const bed = new Bed({ intervalMs: 1_000 });
  bed.tick(1_000);
  bed.request();
  assert.deepEqual(bed.request('savepoint', true), [
    'abort 1 job-stopped',
    'reject 1 job-stopped',
    'trigger 2',
  ]);
  assert.deepEqual(bed.request('savepoint'), ['reject 3 job-stopped']);
  assert.deepEqual(bed.tick(5_000), []);
  assert.deepEqual(bed.ack(2), ['complete 2', 'notifyComplete 2']);
  assert.deepEqual(bed.tick(50_000), []);
});

test('coordinatorStep goes on after a stop that timed out, and fails one that was declined', () => {
  const late = new Bed({ intervalMs: 1_000, maxConcurrent: 2 });
  late.request('savepoint', true);
  assert.deepEqual(late.tick(10_000), ['abort 1 timeout']);
  assert.deepEqual(late.tick(1_000), ['trigger 2']);
  const declined = new Bed();
  declined.request('checkpoint', true);
  assert.deepEqual(declined.decline(1, 'task-not-ready'), ['abort 1 declined', 'failJob']);
});

test('coordinatorStep refuses requests without an attempt, and when there are too many', () => {
  const bed = new Bed();
  bed.request();
  for (let i = 0; i < QUEUED_COUNT_MAX; i++) assert.deepEqual(bed.request(), []);
  assert.deepEqual(bed.request(), [`reject ${QUEUED_COUNT_MAX + 2} too-many-pending`]);
  bed.feed({ kind: 'end', reason: 'job-stopped' });
  assert.deepEqual(bed.request(), [`reject ${QUEUED_COUNT_MAX + 3} job-failed`]);
});
