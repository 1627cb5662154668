import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamElement } from '../../element/element.ts';
import { keyGroupOf, subtaskOf } from '../../element/key-group.ts';
import type { Partitioning } from '../../graph/stream-graph.ts';
import { LocalChannel } from './channel.ts';
import { InvalidPartitionError, RecordWriter } from './record-writer.ts';

function build(partitioning: Partitioning, targets: number, capacity = 100, batchSize = 2) {
  const channels = Array.from({ length: targets }, () => new LocalChannel(capacity));
  const stopSignal = { stop: false };
  const writer = new RecordWriter({
    channels,
    partitioning,
    maxParallelism: 128,
    subtaskIndex: 0,
    batchSize,
    stopSignal,
  });
  return { channels, writer, stopSignal };
}

function taken(channel: LocalChannel): StreamElement[] {
  const elements: StreamElement[] = [];
  for (let one = channel.take(); one !== undefined; one = channel.take()) elements.push(one);
  return elements;
}

function values(channel: LocalChannel): unknown[] {
  return taken(channel).flatMap((element) =>
    element.kind === 'batch' ? element.batch.values.slice(0, element.batch.size) : [element.kind],
  );
}

test('RecordWriter sends a watermark to every channel, behind the records before it (W1)', () => {
  const { writer, channels } = build({ kind: 'rebalance' }, 2);
  for (const value of [1, 2, 3]) writer.emit(value, value);
  writer.broadcast({ kind: 'watermark', timeMs: 3 });
  assert.deepEqual(channels.map(values), [
    [1, 3, 'watermark'],
    [2, 'watermark'],
  ]);
});

test('RecordWriter sends a key to the subtask of its group, with the group (W2)', () => {
  const { writer, channels } = build({ kind: 'hash', keyOf: (value) => value as string }, 3);
  const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);
  for (const key of keys) writer.emit(key, 0);
  writer.flush();
  channels.forEach((channel, target) => {
    for (const element of taken(channel)) {
      assert.ok(element.kind === 'batch');
      const { batch } = element;
      for (let i = 0; i < batch.size; i++) {
        const keyGroup = keyGroupOf(batch.values[i] as string, 128);
        assert.equal(batch.keyGroups![i], keyGroup);
        assert.equal(subtaskOf(keyGroup, 128, 3), target);
      }
    }
  });
});

test('RecordWriter gives a broadcast record to everyone', () => {
  const { writer, channels } = build({ kind: 'broadcast' }, 3);
  writer.emit('rule', 0);
  writer.flush();
  assert.deepEqual(channels.map(values), [['rule'], ['rule'], ['rule']]);
});

test('RecordWriter asks a custom partitioner, and refuses a subtask that is not there', () => {
  const partition = (value: unknown): number => value as number;
  const { writer, channels } = build({ kind: 'custom', name: 'mine', partition }, 2);
  writer.emit(1, 0);
  writer.flush();
  assert.deepEqual(channels.map(values), [[], [1]]);
  for (const bad of [2, -1, 0.5, Number.NaN]) {
    assert.throws(() => writer.emit(bad, 0), InvalidPartitionError);
  }
});

test('RecordWriter raises the stop signal when a channel is full, and still takes the rest', () => {
  const { writer, channels, stopSignal } = build({ kind: 'forward' }, 1, 1, 1);
  writer.emit(1, 0);
  assert.equal(stopSignal.stop, true);
  writer.emit(2, 0);
  assert.deepEqual(channels.map(values), [[1, 2]]);
});
