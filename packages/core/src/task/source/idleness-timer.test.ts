import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdlenessTimer } from './idleness-timer.ts';

test('IdlenessTimer counts from the first silent look, and not before the first look', () => {
  const timer = new IdlenessTimer(100);
  assert.deepEqual(
    [0, 100, 101, 200, 201, 300].map((now) => timer.isIdle(now)),
    [false, false, false, false, true, true],
  );
  timer.onActivity();
  assert.equal(timer.isIdle(301), false);
  assert.equal(timer.isIdle(302), false);
  assert.equal(timer.isIdle(403), true);
});
