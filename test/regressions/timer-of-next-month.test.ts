// A timer more than 2^31 - 1 ms away fired at once, again and again: Node takes such a time-out for
// 1 ms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeEnvironment } from '../../packages/core/src/embedded/node-environment.ts';

test('the scheduler of Node waits for what is more than 25 days away', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { scheduler } = nodeEnvironment();
  let runs = 0;
  const longestMs = 2 ** 31 - 1;
  scheduler.after(3 * longestMs + 5, () => runs++);
  const cancel = scheduler.after(3 * longestMs + 5, () => assert.fail('it was cancelled'));
  for (const passedMs of [longestMs, longestMs, longestMs, 4]) t.mock.timers.tick(passedMs);
  assert.equal(runs, 0);
  cancel();
  t.mock.timers.tick(1);
  assert.equal(runs, 1);
});
