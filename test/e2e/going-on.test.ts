// Goal: however a job is stopped, the next run goes on at the exact record, with any parallelism.
// Method: real processes; a job whose every record says whether something was lost or doubled.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Second, Tally } from './jobs/tally.ts';
import { type Running, Shop } from './shop.ts';
import { assertAllTallies, assertExactTallies } from './tally-check.ts';

const rate = (perSecond: number): string[] => ['--param', `rate=${perSecond}`];

/** Runs on from where the job is, to a number well behind what it has written, and checks. */
async function finish(shop: Shop, ...args: string[]): Promise<Running> {
  const written = assertExactTallies(shop);
  const count = Math.ceil((written + 5_000) / 1_000) * 1_000;
  const last = shop.startJob(
    'tally',
    '--json',
    ...rate(50_000),
    '--param',
    `count=${count}`,
    ...args,
  );
  assert.equal(await last.exit(), 0, last.text);
  assert.equal(last.events('restored').length, 1, last.text);
  assertAllTallies(shop, count);
  return last;
}

async function savepointOf(shop: Shop): Promise<{ path: string; checkpointId: number }> {
  return JSON.parse(shop.millrace('savepoint', 'savepoints', '--json'));
}

suite('a stopped job goes on', { concurrency: 2 }, () => {
  test('stop: three parts of one run, with parallelism 1, 3 and 2', async (t) => {
    const shop = new Shop(t);
    let written = 0;
    for (const parallelism of ['1', '3', '2']) {
      const part = shop.startJob('tally', '--json', ...rate(3_000), '--parallelism', parallelism);
      await part.saw('checkpointCompleted', 3);
      assert.match(shop.millrace('stop'), /tally stopped at checkpoint \d+/);
      assert.equal(await part.exit(), 0, part.text);
      const now = assertExactTallies(shop);
      assert.ok(now > written, 'this part wrote nothing');
      written = now;
    }
    await finish(shop, '--parallelism', '4');
  });

  test('stop --savepoint: the savepoint goes on, moved to another place, alone', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', '--json', ...rate(3_000));
    await first.saw('checkpointCompleted', 2);
    const stopped = JSON.parse(shop.millrace('stop', '--savepoint', 'savepoints', '--json'));
    assert.equal(stopped.lastCheckpoint.kind, 'savepoint');
    assert.equal(await first.exit(), 0, first.text);
    mkdirSync(join(shop.folder, 'elsewhere'));
    renameSync(stopped.lastCheckpoint.path, join(shop.folder, 'elsewhere', 'mine'));
    rmSync(join(shop.folder, 'cp'), { recursive: true });
    const second = shop.startJob('tally', '--json', ...rate(3_000), '--from', 'elsewhere/mine');
    await second.saw('checkpointCompleted', 2);
    // It was imported: from here on nothing needs it.
    rmSync(join(shop.folder, 'elsewhere'), { recursive: true });
    second.child.kill('SIGKILL');
    await second.exit();
    await finish(shop, '--parallelism', '2');
  });

  test('stop --drain: all windows are out, the last one too', async (t) => {
    const shop = new Shop(t);
    const running = shop.startJob('tally', '--json', ...rate(3_000));
    await running.saw('checkpointCompleted', 3);
    assert.match(shop.millrace('stop', '--drain', 'tally'), /tally (?:stopped|finished) at/);
    assert.equal(await running.exit(), 0, running.text);
    const written = assertExactTallies(shop);
    const seconds = shop.read<Second>('output/windows/**/*.jsonl');
    const sum = seconds.reduce((all, second) => all + second.numbers, 0);
    assert.equal(sum, written, 'what was read and what is in windows');
  });

  test('cancel: nothing is committed any more, and the last checkpoint goes on', async (t) => {
    const shop = new Shop(t);
    const running = shop.startJob('tally', '--json', ...rate(3_000), '--interval', '300ms');
    await running.saw('checkpointCompleted', 2);
    assert.match(shop.millrace('cancel', String(running.child.pid)), /tally cancelled/);
    assert.equal(await running.exit(), 0, running.text);
    assert.equal(running.events('status').at(-1)?.status, 'cancelled');
    await finish(shop);
  });

  test('Ctrl-C: says how to go on, and that is how it goes on', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', ...rate(3_000), '--param', 'output=output');
    await first.says(/checkpoint 2 complete/);
    first.child.kill('SIGINT');
    assert.equal(await first.exit(), 0, first.text);
    assert.match(first.text, /stopping with a last checkpoint/);
    assert.match(first.text, /go on with: npx millrace run \S+tally\.ts .*--param output=output/);
    await finish(shop);
  });
});

suite('--from', { concurrency: 2 }, () => {
  test('none: begins afresh, and what is there is left alone', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', '--json', ...rate(500));
    await first.saw('checkpointCompleted', 2);
    shop.millrace('stop');
    assert.equal(await first.exit(), 0, first.text);
    const before = assertExactTallies(shop);
    const args = ['--param', 'output=again', '--param', 'count=3000', ...rate(50_000)];
    const second = shop.startJob('tally', '--json', '--from', 'none', ...args);
    assert.equal(await second.exit(), 0, second.text);
    assert.deepEqual(second.events('restored'), []);
    assertAllTallies(shop, 3_000, 'again');
    assert.equal(assertExactTallies(shop), before);
  });

  test('a savepoint, in another directory: a second job with the state of the first', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', '--json', ...rate(500));
    await first.saw('checkpointCompleted', 3);
    const { path } = await savepointOf(shop);
    const other = ['--checkpoint-dir', 'other', '--param', 'output=fork'];
    const args = [...other, ...rate(50_000), '--param', 'count=20000', '--parallelism', '3'];
    const fork = shop.startJob('tally', '--json', '--from', path, ...args);
    assert.equal(await fork.exit(), 0, fork.text);
    // What is before the savepoint and what the fork has written are one exact run.
    const forked = shop.read<Tally>('fork/numbers/**/*.jsonl');
    const own = shop.read<Tally>('output/numbers/**/*.jsonl').filter((one) => one.number < 20_000);
    const isNew = new Set(forked.map(({ number }) => number));
    const whole = [...own.filter(({ number }) => !isNew.has(number)), ...forked];
    assert.deepEqual(
      whole.map(({ number }) => number).sort((a, b) => a - b),
      Array.from({ length: 20_000 }, (_, number) => number),
    );
    const ofKey = whole.filter(({ key }) => key === 3).map(({ nth }) => nth);
    assert.equal(new Set(ofKey).size, 4_000, 'tallies of the fork go on behind the savepoint');
    assert.equal(Math.max(...ofKey), 4_000);
    // The first was not disturbed.
    await first.saw('checkpointCompleted', first.events('checkpointCompleted').length + 2);
    shop.millrace('stop');
    assert.equal(await first.exit(), 0, first.text);
    await finish(shop);
  });

  test('an older checkpoint: refused, unless duplicates are allowed', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', '--json', ...rate(500));
    await first.saw('checkpointCompleted', 2);
    const { path, checkpointId } = await savepointOf(shop);
    await first.saw('checkpointCompleted', first.events('checkpointCompleted').length + 3);
    const args = [...rate(50_000), '--param', 'count=20000', '--from', path];
    // Refused before it claims: the job that runs does not notice.
    const refused = shop.startJob('tally', ...args);
    assert.equal(await refused.exit(), 5, refused.text);
    assert.match(refused.text, /RESTORE_BEHIND_NEWEST/);
    assert.match(refused.text, /--allow-duplicates/);
    await first.saw('checkpointCompleted', first.events('checkpointCompleted').length + 2);
    shop.millrace('stop');
    assert.equal(await first.exit(), 0, first.text);
    const before = assertExactTallies(shop);

    const allowed = shop.startJob('tally', '--json', ...args, '--allow-duplicates');
    assert.equal(await allowed.exit(), 0, allowed.text);
    const restored = allowed.events('restored')[0]!;
    assert.ok(Number(restored.checkpointId) >= checkpointId, 'imported under an id of its own');
    const numbers = shop.read<Tally>('output/numbers/**/*.jsonl').map(({ number }) => number);
    assert.equal(new Set(numbers).size, 20_000, 'nothing is lost');
    assert.ok(numbers.length > 20_000, 'what came behind the savepoint is there twice');
    assert.ok(numbers.length < 20_000 + before, 'what came before it is there once');
  });
});
