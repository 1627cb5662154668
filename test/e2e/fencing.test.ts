// Goal: of two processes that run one job, just one goes on, and the output is exact whatever the
// other one was doing. Method: real processes; a second one that takes over, one that is paused
// for as long as the other runs, one that waits its turn.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '@millrace/testing';
import { type Running, Shop } from './shop.ts';
import { assertAllTallies, assertExactTallies } from './tally-check.ts';

const seed = process.env.MILLRACE_PAUSE_SEED ?? String(Date.now());
const random = new SeededRandom(`${seed} pauses`);
const PAUSES = 8;

/** The error that ended a job. */
function lastError(running: Running): { code: string; message: string; hint: string } {
  const [failed] = running.events('failed');
  assert.ok(failed !== undefined, running.text);
  return failed.error as ReturnType<typeof lastError>;
}

async function assertFenced(running: Running): Promise<void> {
  assert.equal(await running.exit(), 3, running.text);
  const { code, message, hint } = lastError(running);
  assert.equal(code, 'JOB_FENCED');
  assert.match(`${message} ${hint}`, /taken over|another process/i);
}

/** Without end, and slow: it is at its beginning whenever the other one comes. */
const SLOW = ['--json', '--param', 'rate=500'];
/** So much, and fast. What the slow one has done is not near the end. */
const COUNT = 20_000;
const FAST = ['--json', '--param', 'rate=100000', '--param', `count=${COUNT}`];

suite('two processes, one job', { concurrency: 2 }, () => {
  test('a second process takes over, and the first ends with exit code 3', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', ...SLOW);
    await first.saw('checkpointCompleted', 2);
    const second = shop.startJob('tally', ...FAST, '--parallelism', '2');
    await assertFenced(first);
    assertExactTallies(shop);
    assert.equal(await second.exit(), 0, second.text);
    assert.equal(second.events('restored').length, 1);
    assertAllTallies(shop, COUNT);
  });

  test('three processes that take over from each other leave exact output', async (t) => {
    const shop = new Shop(t);
    const running: Running[] = [];
    for (const parallelism of ['1', '3', '2']) {
      running.push(shop.startJob('tally', ...SLOW, '--parallelism', parallelism));
      await running.at(-1)!.saw('checkpointCompleted');
    }
    const last = shop.startJob('tally', ...FAST);
    for (const one of running) await assertFenced(one);
    assert.equal(await last.exit(), 0, last.text);
    assertAllTallies(shop, COUNT);
  });

  test('processes that start at the same moment end with one, and exact output', async (t) => {
    const shop = new Shop(t);
    const running = [1, 2, 3].map(() => shop.startJob('tally', ...SLOW));
    const isRunning = ({ child }: Running): boolean => child.exitCode === null;
    while (running.filter(isRunning).length > 1) await sleep(20);
    const [last] = running.filter(isRunning);
    assert.ok(last !== undefined, running.map(({ text }) => text).join('\n'));
    for (const one of running) if (one !== last) await assertFenced(one);
    const next = shop.startJob('tally', ...FAST);
    await assertFenced(last);
    assert.equal(await next.exit(), 0, next.text);
    assertAllTallies(shop, COUNT);
  });
});

suite(`a process is paused while another one takes over (seed ${seed})`, { concurrency: 2 }, () => {
  for (let index = 0; index < PAUSES; index++) {
    const afterMs = random.below(350);
    const parallelism = String(1 + (index % 2));
    // With the default it tries to restart once before it finds out.
    const restart = index % 4 < 2 ? 'none' : 'fixed:3:100ms';
    test(`${afterMs} ms after a checkpoint, x ${parallelism}, restart ${restart}`, async (t) => {
      const shop = new Shop(t);
      const more = ['--parallelism', parallelism, '--interval', '40ms', '--restart', restart];
      const first = shop.startJob('tally', ...SLOW, ...more);
      await first.saw('checkpointCompleted', 2);
      await sleep(afterMs);
      first.child.kill('SIGSTOP');
      const second = shop.startJob('tally', ...FAST);
      assert.equal(await second.exit(), 0, second.text);
      assertAllTallies(shop, COUNT);
      const before = globSync('output/**/*.jsonl', { cwd: shop.folder }).sort();
      assert.equal(first.events('failed').length, 0);
      first.child.kill('SIGCONT');
      await assertFenced(first);
      // Nothing was added, removed or changed.
      assert.deepEqual(globSync('output/**/*.jsonl', { cwd: shop.folder }).sort(), before);
      assertAllTallies(shop, COUNT);
    });
  }
});

suite('--standby', { concurrency: 2 }, () => {
  test('waits while the owner runs, and takes over when it has stopped', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', ...SLOW);
    await first.saw('checkpointCompleted');
    const second = shop.startJob('tally', ...FAST, '--standby');
    await sleep(2_000); // long enough to take over if it did not wait
    const seen = first.events('checkpointCompleted').length;
    await first.saw('checkpointCompleted', seen + 3);
    assert.deepEqual(second.events('claimed'), []);
    first.child.kill('SIGINT');
    assert.equal(await first.exit(), 0, first.text);
    await second.saw('restored');
    assert.equal(await second.exit(), 0, second.text);
    assertAllTallies(shop, COUNT);
  });

  test('takes over when the owner has died without a word', async (t) => {
    const shop = new Shop(t);
    const first = shop.startJob('tally', ...SLOW);
    await first.saw('checkpointCompleted');
    const second = shop.startJob('tally', ...FAST, '--standby');
    await first.saw('checkpointCompleted', 5);
    first.child.kill('SIGKILL');
    await first.exit();
    assert.deepEqual(second.events('claimed'), []);
    await second.saw('restored'); // after the silence that docs/internals/checkpoints.md names
    assert.equal(await second.exit(), 0, second.text);
    assertAllTallies(shop, COUNT);
  });
});
