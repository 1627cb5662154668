// Goal: whatever goes wrong, the message says what, where and what to do, the exit code says
// whether to try again, and nothing is lost or doubled when the cause is gone. Method: real
// processes; a full disk is a small file system in memory.
//
// A missing permission is not tested: who is root has them all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { assertEachOnce, Shop } from './shop.ts';
import { assertAllTallies, assertExactTallies } from './tally-check.ts';

/** A shop with two files of numbers. */
function shopWithFiles(t: TestContext): Shop {
  const shop = new Shop(t);
  mkdirSync(join(shop.folder, 'input'));
  for (const [file, from] of [0, 500].entries()) {
    const lines = Array.from({ length: 500 }, (_, index) => `{"number":${from + index}}\n`);
    writeFileSync(join(shop.folder, 'input', `part-${file}.jsonl`), lines.join(''));
  }
  return shop;
}

/** Breaks line 8 of the second file. */
function breakLine(shop: Shop): void {
  const path = join(shop.folder, 'input', 'part-1.jsonl');
  writeFileSync(path, readFileSync(path, 'utf8').replace('{"number":507}', '{"number":50'));
}

suite('a function that throws', { concurrency: 2 }, () => {
  test('the message names operator, input, source position and cause', async (t) => {
    const shop = shopWithFiles(t);
    const failed = shop.startJob('reading', '--param', 'failAt=504');
    assert.equal(await failed.exit(), 1, failed.text);
    assert.match(failed.text, /operator "check" \(subtask 0\) failed/);
    assert.match(failed.text, /504 is one too many/);
    assert.match(failed.text, /jobs\/reading\.ts:\d+:\d+/);
    assert.match(failed.text, /USER_FUNCTION_FAILED/);
  });

  test('in the chain of the source it names the file and the line as well', async (t) => {
    const shop = shopWithFiles(t);
    const failed = shop.startJob('reading', '--param', 'failEarlyAt=504');
    assert.equal(await failed.exit(), 1, failed.text);
    assert.match(failed.text, /operator "map[^"]*" .*failed at .*part-1\.jsonl, line 5/);
  });

  test('the job is tried again as its strategy says, then fails; mended, it goes on', async (t) => {
    const shop = new Shop(t);
    const args = ['--param', 'rate=20000', '--param', 'count=20000'];
    const restart = ['--restart', 'fixed:2:50ms', '--param', 'failAt=9000'];
    const failed = shop.startJob('tally', '--json', ...args, ...restart);
    assert.equal(await failed.exit(), 1, failed.text);
    const delays = failed.events('failure').map(({ restartInMs }) => restartInMs);
    assert.deepEqual(delays, [50, 50, null]);
    assertExactTallies(shop);
    const mended = shop.startJob('tally', ...args);
    assert.equal(await mended.exit(), 0, mended.text);
    assertAllTallies(shop, 20_000);
  });
});

suite('a record that cannot be read', { concurrency: 2 }, () => {
  test('fail: names file and line; mended, all is there', async (t) => {
    const shop = shopWithFiles(t);
    breakLine(shop);
    const failed = shop.startJob('reading');
    assert.equal(await failed.exit(), 1, failed.text);
    assert.match(failed.text, /part-1\.jsonl, line 8 \(byte \d+\) is no JSON/i);
    assert.match(failed.text, /MALFORMED_RECORD/);
    assert.match(failed.text, /onMalformed/);
    const path = join(shop.folder, 'input', 'part-1.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('{"number":50\n', '{"number":507}\n'));
    const mended = shop.startJob('reading');
    assert.equal(await mended.exit(), 0, mended.text);
    assertEachOnce(shop.written());
  });

  test('skip: counts it', async (t) => {
    const shop = shopWithFiles(t);
    breakLine(shop);
    const running = shop.startJob('reading', '--json', '--param', 'onMalformed=skip');
    assert.equal(await running.exit(), 0, running.text);
    assert.match(running.text, /"malformedRecordsSkipped":1\b/);
    assert.equal(shop.written().length, 999);
    assert.ok(!shop.written().includes(507));
  });

  test('dead letter: keeps text, reason and place', async (t) => {
    const shop = shopWithFiles(t);
    breakLine(shop);
    const running = shop.startJob('reading', '--param', 'onMalformed=dead-letter');
    assert.equal(await running.exit(), 0, running.text);
    assert.equal(shop.written().length, 999);
    const [letter, ...more] = shop.read<{ raw: string; error: string; origin: string }>(
      'dead-letters/*.jsonl',
    );
    assert.deepEqual(more, []);
    assert.equal(letter?.raw, '{"number":50');
    assert.match(letter.origin, /part-1\.jsonl, line 8/);
    assert.match(letter.error, /JSON/);
  });

  test('without a bad record the same job copies everything', async (t) => {
    const shop = shopWithFiles(t);
    const running = shop.startJob('reading');
    assert.equal(await running.exit(), 0, running.text);
    assertEachOnce(shop.written());
  });
});

/** Mounts a file system of so many bytes. @returns grows it; null: not permitted here */
function mountSmall(t: TestContext, path: string, size: string): ((size: string) => void) | null {
  mkdirSync(path);
  const options = ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path];
  const mounted = spawnSync('mount', options, { encoding: 'utf8' });
  if (mounted.status !== 0) {
    t.skip(`a small file system cannot be mounted here: ${mounted.stderr ?? mounted.error}`);
    return null;
  }
  return (larger) => {
    assert.equal(spawnSync('mount', ['-o', `remount,size=${larger}`, path]).status, 0);
  };
}

suite('a full disk', { concurrency: 2 }, () => {
  for (const [what, folder, code] of [
    ['the output', 'output', /FILE_SINK_DISK_FULL/],
    ['the checkpoints', 'cp', /STORAGE_FULL|full|no space/i],
  ] as const) {
    test(`under ${what}: a typed error, and nothing is lost when there is room`, async (t) => {
      const shop = new Shop(t);
      const path = join(shop.folder, folder);
      const grow = mountSmall(t, path, folder === 'cp' ? '64k' : '600k');
      if (grow === null) return;
      shop.atEnd(() => spawnSync('umount', [path]));
      const args = ['--param', 'rate=20000', '--param', 'count=60000'];
      const failed = shop.startJob('tally', ...args);
      assert.equal(await failed.exit(), 1, failed.text);
      assert.match(failed.text, code);
      assertExactTallies(shop);
      grow('64m');
      const next = shop.startJob('tally', ...args);
      assert.equal(await next.exit(), 0, next.text);
      assertAllTallies(shop, 60_000);
    });
  }
});

test('a job whose disk was full goes on by itself when there is room', async (t) => {
  const shop = new Shop(t);
  const path = join(shop.folder, 'output');
  const grow = mountSmall(t, path, '600k');
  if (grow === null) return;
  shop.atEnd(() => spawnSync('umount', [path]));
  const args = ['--json', '--param', 'rate=20000', '--param', 'count=60000'];
  const running = shop.startJob('tally', ...args, '--restart', 'fixed:1000:200ms');
  const { error } = await running.saw('failure', 2);
  assert.equal((error as { code: string }).code, 'FILE_SINK_DISK_FULL');
  grow('64m');
  assert.equal(await running.exit(), 0, running.text);
  assertAllTallies(shop, 60_000);
});

test('a command line that cannot be understood ends with 2 and names the mistake', (t) => {
  const shop = new Shop(t);
  const job = join(import.meta.dirname, 'jobs', 'tally.ts');
  for (const [args, words] of [
    [['walk'], /walk/],
    [['run'], /job\.ts/],
    [['run', job, '--paralellism', '2'], /paralellism/],
    [['run', job, '--parallelism', 'two'], /parallelism.*two/],
    [['run', job, '--interval', '10'], /interval.*10/],
    [['run', job, '--param', 'x'], /key=value/],
    [['run', job, '--restart', 'perhaps'], /perhaps/],
    [['run', job, '--json', '--quiet'], /exclude/],
    [['run', job, 'other.ts'], /other\.ts/],
    [['savepoint'], /directory/],
    [['checkpoints', 'eat', 'cp'], /eat/],
  ] as const) {
    const { code, err } = shop.ask(...args);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
    assert.match(err, words);
  }
  assert.equal(shop.ask('run', 'missing.ts').code, 1);
  assert.match(shop.ask('run', 'missing.ts').err, /JOB_MODULE_INVALID/);
  assert.equal(shop.ask('stop').code, 6);
  assert.equal(shop.ask('stop', 'nobody').code, 6);
});
