import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from './nearest-word.ts';

test('nearestWord finds what was mistyped or cut off, and nothing far away', () => {
  const words = ['parallelism', 'param', 'from', 'checkpoint-dir'];
  assert.equal(nearestWord('paralelism', words), 'parallelism');
  assert.equal(nearestWord('checkpoint', words), 'checkpoint-dir');
  assert.equal(nearestWord('form', words), null, 'half of it is wrong');
  assert.equal(nearestWord('parm', words), 'param');
  assert.equal(nearestWord('loud', words), null);
});
