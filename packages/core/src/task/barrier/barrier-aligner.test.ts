// Goal: a task takes part in a checkpoint exactly when A1 to A5 say so.
// Method: a small gate with one queue per channel drives the aligner as the host does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '../../base/assert.ts';
import type { CheckpointBarrier, CheckpointMode } from '../../element/element.ts';
import { type AlignerDecision, BarrierAligner } from './barrier-aligner.ts';

type Item = string | { barrier: number } | { cancel: number } | 'END';

/** Delivers what the aligner lets through; texts are records. */
class Gate {
  readonly aligner: BarrierAligner;
  readonly log: string[] = [];
  readonly #queues: Item[][];

  constructor(channels: number, mode: CheckpointMode = 'exactly-once') {
    this.aligner = new BarrierAligner(channels, mode);
    this.#queues = Array.from({ length: channels }, () => []);
  }

  /** @returns what happened because of it */
  send(channel: number, item: Item): string[] {
    const from = this.log.length;
    this.#queues[channel]!.push(item);
    this.pump();
    return this.log.slice(from);
  }

  pump(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [channel, queue] of this.#queues.entries()) {
        if (queue.length === 0 || this.aligner.isBlocked(channel)) continue;
        this.#take(channel, queue.shift()!);
        moved = true;
      }
    }
  }

  #take(channel: number, item: Item): void {
    if (item === 'END') this.note(this.aligner.onEndOfInput(channel, 0));
    else if (typeof item === 'string') this.log.push(item);
    else if ('barrier' in item)
      this.note(this.aligner.onBarrier(channel, barrier(item.barrier), 0));
    else this.note(this.aligner.onCancel(item.cancel));
  }

  note(decisions: readonly AlignerDecision[]): void {
    for (const decision of decisions) {
      this.log.push(
        decision.kind === 'checkpoint'
          ? `checkpoint ${decision.barrier.checkpointId}`
          : `abort ${decision.checkpointId} ${decision.reason}`,
      );
    }
  }
}

function barrier(checkpointId: number): CheckpointBarrier {
  return {
    checkpointId,
    attempt: 1,
    snapshotKind: 'checkpoint',
    mode: 'exactly-once',
    triggeredAtMs: 0,
  };
}

test('BarrierAligner blocks a channel from its barrier until all live ones had it', () => {
  const gate = new Gate(2);
  assert.deepEqual(gate.send(0, { barrier: 1 }), []);
  assert.deepEqual(gate.send(0, 'x2'), []);
  assert.deepEqual(gate.send(1, 'y1'), ['y1']);
  assert.deepEqual(gate.send(1, { barrier: 1 }), ['checkpoint 1', 'x2']);
});

test('BarrierAligner takes part at once with one channel and measures no alignment', () => {
  const aligner = new BarrierAligner(1, 'exactly-once');
  assert.deepEqual(aligner.onBarrier(0, barrier(1), 7), [
    { kind: 'checkpoint', barrier: barrier(1), alignmentMs: 0 },
  ]);
  assert.equal(aligner.isBlocked(0), false);
});

test('BarrierAligner measures from the first barrier to the last', () => {
  const aligner = new BarrierAligner(2, 'exactly-once');
  aligner.onBarrier(0, barrier(1), 100);
  const [decision] = aligner.onBarrier(1, barrier(1), 130);
  assert.ok(decision?.kind === 'checkpoint' && decision.alignmentMs === 30);
});

test('BarrierAligner aborts the older alignment when a newer barrier comes', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 1 });
  gate.send(0, 'x1');
  assert.deepEqual(gate.send(1, { barrier: 2 }), ['abort 1 subsumed', 'x1']);
  assert.deepEqual(gate.send(1, 'y1'), []);
  assert.deepEqual(gate.send(0, { barrier: 1 }), [], 'a straggler changes nothing (A3)');
  assert.deepEqual(gate.send(0, { barrier: 2 }), ['checkpoint 2', 'y1']);
});

test('BarrierAligner ignores the barrier of a checkpoint that was passed over unseen', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 5 });
  assert.deepEqual(gate.send(1, { barrier: 3 }), []);
  assert.deepEqual(gate.send(1, { barrier: 5 }), ['checkpoint 5']);
});

test('BarrierAligner releases all on a cancellation and ignores later barriers of it', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 1 });
  gate.send(0, 'x1');
  assert.deepEqual(gate.send(1, { cancel: 1 }), ['abort 1 cancelled', 'x1']);
  assert.deepEqual(gate.send(1, { barrier: 1 }), []);
  assert.deepEqual(gate.send(1, { cancel: 1 }), []);
  assert.equal(gate.aligner.isAligning, false);
});

test('BarrierAligner gives up the older one too when a newer one is cancelled', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 1 });
  gate.send(0, 'x1');
  assert.deepEqual(gate.send(1, { cancel: 2 }), ['abort 2 cancelled', 'x1']);
  assert.deepEqual(gate.send(0, { barrier: 2 }), []);
  assert.deepEqual(gate.send(1, { barrier: 1 }), []);
});

test('BarrierAligner counts an ended channel as aligned, now and later', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 1 });
  gate.send(0, 'x1');
  assert.deepEqual(gate.send(1, 'END'), ['checkpoint 1', 'x1']);
  assert.deepEqual(gate.send(0, { barrier: 2 }), ['checkpoint 2']);
  assert.deepEqual(gate.send(1, 'END'), [], 'a second end changes nothing');
});

test('BarrierAligner ignores barriers that come behind the end, unless they are the first', () => {
  const gate = new Gate(2);
  gate.send(1, 'END');
  assert.deepEqual(gate.send(1, { barrier: 1 }), [], 'the live channel is missing');
  assert.deepEqual(gate.send(1, { barrier: 2 }), [], 'blocked: it must not abort 1');
  assert.deepEqual(gate.send(0, { barrier: 1 }), ['checkpoint 1']);
  assert.deepEqual(gate.send(0, { barrier: 2 }), ['checkpoint 2']);
});

test('BarrierAligner takes part at the first barrier when all channels have ended', () => {
  const gate = new Gate(2);
  gate.send(0, 'END');
  gate.send(1, 'END');
  assert.deepEqual(gate.send(1, { barrier: 1 }), ['checkpoint 1']);
  assert.deepEqual(gate.send(0, { barrier: 1 }), []);
});

test('BarrierAligner handles the next barrier behind a blocked channel after the release', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 1 });
  gate.send(0, { barrier: 2 });
  gate.send(0, 'x2');
  assert.deepEqual(gate.send(1, { barrier: 1 }), ['checkpoint 1']);
  assert.deepEqual(gate.send(1, { barrier: 2 }), ['checkpoint 2', 'x2']);
});

test('BarrierAligner releases its channels when the coordinator gives the checkpoint up', () => {
  const gate = new Gate(2);
  gate.send(0, { barrier: 1 });
  gate.send(0, 'x1');
  assert.deepEqual(gate.aligner.onAborted(7), [], 'not aligning: nothing happens');
  gate.note(gate.aligner.onAborted(1));
  gate.pump();
  assert.deepEqual(gate.log, ['abort 1 cancelled', 'x1']);
  assert.deepEqual(gate.send(1, { barrier: 1 }), []);
});

test('BarrierAligner refuses a second barrier with one id from one channel', () => {
  const aligner = new BarrierAligner(2, 'at-least-once');
  aligner.onBarrier(0, barrier(1), 0);
  assert.throws(() => aligner.onBarrier(0, barrier(1), 0), AssertionError);
});

test('BarrierAligner blocks nothing at-least-once and counts overlapping checkpoints', () => {
  const gate = new Gate(2, 'at-least-once');
  assert.deepEqual(gate.send(0, { barrier: 1 }), []);
  assert.deepEqual(gate.send(0, 'x1'), ['x1']);
  assert.deepEqual(gate.send(0, { barrier: 2 }), []);
  assert.deepEqual(gate.send(1, { barrier: 1 }), ['checkpoint 1']);
  assert.deepEqual(gate.send(1, { barrier: 2 }), ['checkpoint 2']);
});

// Seed 2825 of the campaign: cancellation 6 was sent on before barrier 5.
test('BarrierAligner sends no cancellation before an older barrier at-least-once', () => {
  const gate = new Gate(2, 'at-least-once');
  gate.send(0, { barrier: 1 });
  gate.send(0, { barrier: 2 });
  assert.deepEqual(gate.aligner.onAborted(2), []);
  assert.deepEqual(gate.send(1, { barrier: 1 }), ['checkpoint 1']);
});

test('BarrierAligner passes over an older one at-least-once when a newer one is complete', () => {
  const gate = new Gate(2, 'at-least-once');
  gate.send(0, { barrier: 1 });
  gate.send(0, { barrier: 2 });
  assert.deepEqual(gate.send(1, { barrier: 2 }), ['checkpoint 2']);
  assert.deepEqual(gate.send(1, { barrier: 1 }), []);
});

test('BarrierAligner aborts older pending ones at-least-once on a cancellation, each once', () => {
  const gate = new Gate(3, 'at-least-once');
  gate.send(0, { barrier: 1 });
  gate.send(1, { barrier: 1 });
  gate.send(0, { barrier: 2 });
  assert.deepEqual(gate.send(2, { cancel: 2 }), ['abort 1 cancelled', 'abort 2 cancelled']);
  assert.deepEqual(gate.send(1, { cancel: 2 }), []);
});

test('BarrierAligner completes all waiting ones at-least-once, oldest first, at an end', () => {
  const gate = new Gate(2, 'at-least-once');
  gate.send(0, { barrier: 1 });
  gate.send(0, { barrier: 2 });
  assert.deepEqual(gate.send(1, 'END'), ['checkpoint 1', 'checkpoint 2']);
});

test('BarrierAligner forgets the oldest at-least-once when too many are pending', () => {
  const gate = new Gate(2, 'at-least-once');
  for (let id = 1; id <= 51; id++) gate.send(0, { barrier: id });
  assert.deepEqual(gate.send(1, { barrier: 1 }), []);
  assert.deepEqual(gate.send(1, { barrier: 2 }), ['checkpoint 2']);
});
