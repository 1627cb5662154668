import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from './command-errors.ts';
import { errorData, errorReport } from './error-report.ts';

function userError(): Error {
  const cause = new TypeError('amount is not a number');
  cause.stack = [
    'TypeError: amount is not a number',
    '    at add (node:internal/x:1:1)',
    '    at run (file:///app/node_modules/@millrace/core/dist/task/a.js:1:1)',
    '    at toTotal (file:///app/src/orders.ts:12:9)',
  ].join('\n');
  return new UsageError(
    'operator "totals" failed',
    { command: 'totals' },
    { cause, hint: 'Look at the record.' },
  );
}

test('errorReport says message, where, causes, hint and code', () => {
  assert.equal(
    errorReport(userError()),
    `error: operator "totals" failed
  where: command totals; /app/src/orders.ts:12:9
  cause: TypeError: amount is not a number
  hint: Look at the record.
  code: USAGE (npx millrace help errors USAGE)
`,
  );
});

test('errorReport adds the innermost stack when asked', () => {
  assert.match(errorReport(userError(), { withStack: true }), /at toTotal/);
});

test('errorReport survives values that are no errors and causes in a circle', () => {
  assert.equal(errorReport('just text'), 'error: just text\n');
  const circle = new Error('round');
  circle.cause = circle;
  assert.match(errorReport(circle), /^error: round\n/);
});

test('errorData holds the same facts as data', () => {
  assert.deepEqual(errorData(userError()), {
    message: 'operator "totals" failed',
    code: 'USAGE',
    domain: 'user',
    hint: 'Look at the record.',
    causes: ['TypeError: amount is not a number'],
    location: '/app/src/orders.ts:12:9',
  });
});
