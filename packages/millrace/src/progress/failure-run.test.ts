import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureRunText, onFailureOf } from './failure-run.ts';

function failure(message: string, origin: string | null): Error {
  const cause = new Error('bad');
  cause.stack = 'Error: bad\n    at f (file:///app/orders.ts:3:9)';
  return Object.assign(new Error(message, { cause }), { details: { origin } });
}

test('failureRunText names the code, and counts failures of one record', () => {
  const first = onFailureOf(null, failure('at in/a, line 3: bad', 'in/a, line 3'));
  assert.equal(failureRunText(first), ' (/app/orders.ts:3:9)');
  const second = onFailureOf(first, failure('at in/a, line 3: bad', 'in/a, line 3'));
  const said = ' (/app/orders.ts:3:9); the same record failed 2 times in a row';
  assert.equal(failureRunText(second), said);
});

test('failureRunText begins anew with another failure, and knows failures without a record', () => {
  const first = onFailureOf(null, failure('bad', null));
  const again = onFailureOf(first, failure('bad', null));
  assert.match(failureRunText(again), /; the same failure 2 times in a row$/);
  assert.equal(onFailureOf(again, failure('worse', null)).count, 1);
  assert.equal(failureRunText(onFailureOf(again, 'a text')), '');
});
