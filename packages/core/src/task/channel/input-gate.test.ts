import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '../../element/batch.ts';
import type { CheckpointBarrier, StreamElement } from '../../element/element.ts';
import { LocalChannel } from './channel.ts';
import { type GateEvent, InputGate } from './input-gate.ts';

const clock = { nowMs: () => 0, monotonicMs: () => 0 };
const batch = (value: unknown): StreamElement => ({ kind: 'batch', batch: Batch.of([value]) });
const watermark = (timeMs: number): StreamElement => ({ kind: 'watermark', timeMs });
const end: StreamElement = { kind: 'endOfInput' };

function barrier(checkpointId: number): StreamElement & { readonly barrier: CheckpointBarrier } {
  return {
    kind: 'barrier',
    barrier: {
      checkpointId,
      attempt: 1,
      snapshotKind: 'checkpoint',
      mode: 'exactly-once',
      triggeredAtMs: 0,
    },
  };
}

/** @param inputs the input (0 or 1) of each channel */
function build(inputs: readonly number[]) {
  const channels = inputs.map(() => new LocalChannel(100));
  const gate = new InputGate(
    channels.map((channel, i) => ({ input: inputs[i]!, channel })),
    'exactly-once',
    1,
    clock,
  );
  const drain = (): string[] => {
    const events: string[] = [];
    for (let event = gate.next(); event !== undefined; event = gate.next()) {
      if (event.kind !== 'nothing') events.push(text(event));
    }
    return events;
  };
  return { channels, gate, drain };
}

function text(event: GateEvent): string {
  switch (event.kind) {
    case 'batch':
      return `${event.input}:${String(event.batch.values[0])}`;
    case 'watermark':
      return `${event.input}:watermark ${event.timeMs}`;
    case 'endInput':
      return `${event.input}:end`;
    case 'aligned':
      return `aligned ${event.barrier.checkpointId}`;
    case 'aborted':
      return `aborted ${event.checkpointId}`;
    default:
      return event.kind;
  }
}

test('InputGate merges watermarks per input', () => {
  const { channels, drain } = build([0, 0, 1]);
  channels[0]!.send(watermark(5));
  channels[2]!.send(watermark(9));
  assert.deepEqual(drain(), ['1:watermark 9']);
  channels[1]!.send(watermark(3));
  assert.deepEqual(drain(), ['0:watermark 3']);
});

test('InputGate holds a channel back from its barrier until all have delivered theirs', () => {
  const { channels, drain } = build([0, 1]);
  channels[0]!.send(barrier(1));
  channels[0]!.send(batch('after'));
  channels[1]!.send(batch('before'));
  assert.deepEqual(drain(), ['1:before']);
  channels[1]!.send(barrier(1));
  assert.deepEqual(drain(), ['aligned 1', '0:after']);
});

test('InputGate releases its channels when the coordinator gives the checkpoint up', () => {
  const { channels, gate, drain } = build([0, 0]);
  channels[0]!.send(barrier(1));
  channels[0]!.send(batch('after'));
  assert.deepEqual(drain(), []);
  gate.abort(1);
  assert.deepEqual(drain(), ['aborted 1', '0:after']);
});

test('InputGate says that an input has ended when all of its channels have', () => {
  const { channels, drain } = build([0, 0, 1]);
  channels[0]!.send(end);
  channels[2]!.send(end);
  assert.deepEqual(drain(), ['1:end']);
  channels[1]!.send(batch('last'));
  channels[1]!.send(end);
  assert.deepEqual(drain(), ['0:last', '0:end']);
});

test('InputGate takes part in a checkpoint after all inputs have ended, once', () => {
  const { channels, drain } = build([0, 0]);
  for (const channel of channels) channel.send(end);
  for (const channel of channels) channel.send(barrier(4));
  assert.deepEqual(drain(), ['0:end', 'aligned 4']);
});

test('InputGate takes from its channels in turn', () => {
  const { channels, drain } = build([0, 0]);
  for (const value of [1, 2]) for (const channel of channels) channel.send(batch(value));
  assert.deepEqual(drain(), ['0:1', '0:1', '0:2', '0:2']);
});
