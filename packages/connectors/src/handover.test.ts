import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Handover } from './handover.ts';

test('Handover gives what was closed before the cut, once', () => {
  const handover = new Handover<string>();
  handover.add('a');
  const first = handover.cut(1);
  handover.add('b');
  assert.deepEqual(first(), ['a']);
  assert.deepEqual(handover.cut(2)(), ['b']);
  assert.equal(handover.size, 0);
});

test('Handover gives what a cut was not asked for to the next one', () => {
  const handover = new Handover<string>();
  handover.add('a');
  handover.cut(1);
  handover.add('b');
  assert.deepEqual(handover.cut(2)(), ['a', 'b']);
});

test('Handover gives both cuts an item if the older is asked for last', () => {
  const handover = new Handover<string>();
  handover.add('a');
  const first = handover.cut(1);
  const second = handover.cut(2);
  assert.deepEqual(second(), ['a']);
  assert.deepEqual(first(), ['a']);
  const third = handover.cut(3);
  assert.deepEqual(third(), []);
});

test('Handover gives a younger cut nothing that the older one has', () => {
  const handover = new Handover<string>();
  handover.add('a');
  const first = handover.cut(1);
  const second = handover.cut(2);
  assert.deepEqual(first(), ['a']);
  assert.deepEqual(second(), []);
});
