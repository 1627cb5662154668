// Goal: a user's day with the command: start, look, checkpoint, savepoint, Ctrl-C, kill, go on;
// each number is written once. Method: real processes and signals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEachOnce, Shop } from './shop.ts';

test('Ctrl-C stops with a checkpoint, and the next run goes on behind it', async (t) => {
  const shop = new Shop(t);
  const first = shop.start();
  await first.says(/checkpoint 2 complete/);
  first.child.kill('SIGINT');
  assert.equal(await first.exit(), 0, first.text);
  assert.match(first.text, /go on with: npx millrace run .*counting\.ts/);
  const before = shop.written();
  assertEachOnce(before);

  const second = shop.start('--param', `count=${before.length + 1_000}`);
  assert.equal(await second.exit(), 0, second.text);
  assert.match(second.text, /restored checkpoint/);
  const after = shop.written();
  assertEachOnce(after);
  assert.equal(after.length, before.length + 1_000);
});

test('a killed job goes on by itself, and a taken over one exits with 3', async (t) => {
  const shop = new Shop(t);
  const first = shop.start();
  await first.says(/checkpoint 2 complete/);
  first.child.kill('SIGKILL');
  await first.exit();

  const second = shop.start();
  await second.says(/restored checkpoint[\s\S]*checkpoint \d+ complete/);
  const third = shop.start();
  await third.says(/restored checkpoint[\s\S]*checkpoint \d+ complete/);
  assert.equal(await second.exit(), 3, second.text);
  third.child.kill('SIGTERM');
  assert.equal(await third.exit(), 0, third.text);
  assertEachOnce(shop.written());
});

test('list, checkpoint, savepoint and stop reach the job; the savepoint can be run', async (t) => {
  const shop = new Shop(t);
  const running = shop.start('--json');
  await running.says(/"event":"checkpointCompleted"/);
  assert.match(shop.millrace('list'), /counting {2}pid \d+ .*running/);
  assert.match(shop.millrace('checkpoint'), /checkpoint \d+ complete/);
  assert.doesNotMatch(shop.millrace('checkpoints', 'ls', 'cp'), /DAMAGED|no complete/);
  const savepoint = JSON.parse(shop.millrace('savepoint', 'sp', '--json'));
  assert.equal(savepoint.kind, 'savepoint');
  assert.match(shop.millrace('stop', 'counting'), /counting stopped at checkpoint/);
  assert.equal(await running.exit(), 0, running.text);
  assert.match(shop.millrace('list'), /no running jobs/);

  const forked = shop.start('--from', savepoint.path, '--allow-duplicates', '--param', 'count=1');
  assert.equal(await forked.exit(), 0, forked.text);
});

test('a job that finishes exits with 0 and everything written', async (t) => {
  const shop = new Shop(t);
  const running = shop.start('--param', 'count=3000', '--param', 'rate=100000');
  assert.equal(await running.exit(), 0, running.text);
  assert.equal(shop.written().length, 3_000);
});
