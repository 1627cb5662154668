import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from '../../element/batch.ts';
import type { StreamElement } from '../../element/element.ts';
import { LocalChannel } from './channel.ts';

const batch = (value: number): StreamElement => ({ kind: 'batch', batch: Batch.of([value]) });
const end: StreamElement = { kind: 'endOfInput' };

test('LocalChannel keeps the order of everything (C1)', () => {
  const channel = new LocalChannel(2);
  const sent: StreamElement[] = [batch(1), { kind: 'watermark', timeMs: 5 }, batch(2), end];
  for (const element of sent) channel.send(element);
  const taken = Array.from({ length: 4 }, () => channel.take());
  assert.deepEqual(taken, sent);
  assert.equal(channel.take(), undefined);
});

test('LocalChannel counts batches only, and takes more than its capacity (C2)', () => {
  const channel = new LocalChannel(1);
  channel.send(end);
  assert.equal(channel.isFull, false);
  channel.send(batch(1));
  channel.send(batch(2));
  assert.equal(channel.isFull, true);
  channel.take();
  channel.take();
  assert.equal(channel.isFull, true, 'one batch over capacity is still there');
  channel.take();
  assert.equal(channel.isFull, false);
});

test('LocalChannel calls back when it stops being empty, and when it stops being full (C3)', () => {
  const channel = new LocalChannel(1);
  const calls: string[] = [];
  channel.onAvailable = () => calls.push('available');
  channel.onSpace = () => calls.push('space');
  channel.send(batch(1));
  channel.send(end);
  channel.take();
  channel.take();
  channel.send(end);
  assert.deepEqual(calls, ['available', 'space', 'available']);
});
