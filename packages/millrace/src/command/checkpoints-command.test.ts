// Goal: what is stored can be looked at, checked and cleaned without the job. Method: a real job
// leaves real checkpoints behind; then files are damaged or added.
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { datagen, memorySink } from '@millrace/connectors';
import { job, run } from '@millrace/core';
import { type FakeContext, fakeContext } from '../../test/fake-context.ts';
import { prepareDirectory, registerJob } from '../control/job-registry.ts';
import { dispatch } from './dispatch.ts';
import { exitCode } from './exit-code.ts';

interface Stored {
  readonly context: FakeContext;
  readonly directory: string;
  readonly savepoint: string;
  /** Runs `millrace checkpoints` and hands back exit code and standard output. */
  checkpoints(...args: string[]): Promise<{ readonly code: number; readonly out: string }>;
}

/** Three checkpoints, two of them kept, and a savepoint. */
async function stored(test: TestContext, jobName = 'numbers'): Promise<Stored> {
  const context = fakeContext();
  test.after(() => context.dispose());
  const directory = join(context.folder, 'cp');
  const counts = job(jobName, (flow) => {
    flow
      .from('numbers', datagen({ make: (number) => number, ratePerSecond: 5_000 }))
      .keyBy((number) => number % 100)
      .reduce('sums', (a, b) => a + b)
      .to('out', memorySink<number>());
  });
  const execution = await run(counts, {
    // State in files: in manifests there would be no files to look at.
    checkpoints: { directory, intervalMs: 3_600_000, numRetained: 2, inlineBytesMax: 0 },
  });
  while ((execution.metrics()[0]?.recordsOut ?? 0) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await execution.triggerCheckpoint();
  await execution.triggerCheckpoint();
  const { path: savepoint } = await execution.triggerSavepoint(join(context.folder, 'sp'));
  await execution.stop();
  return {
    context,
    directory,
    savepoint,
    async checkpoints(...args) {
      context.written.out = '';
      const code = await dispatch(context, ['checkpoints', ...args]);
      return { code, out: context.written.out };
    },
  };
}

function runFiles(directory: string): string[] {
  return globSync('numbers/shared/*.run', { cwd: directory }).map((name) => join(directory, name));
}

test('checkpoints ls lists what is kept, for people and as data', async (t) => {
  const { directory, checkpoints } = await stored(t);
  const { code, out } = await checkpoints('ls', directory);
  assert.equal(code, exitCode.ok);
  assert.match(out, /^numbers {2}\(generation 1\)\n( {2}\S.* UTC .*\n)+$/);
  assert.doesNotMatch(out, /DAMAGED/);
  const data = JSON.parse((await checkpoints('ls', directory, '--json')).out);
  assert.equal(data[0].job, 'numbers');
  assert.equal(data[0].generation, 1);
  assert.equal(data[0].snapshots.length, out.split('\n').length - 2);
});

test('checkpoints show explains the newest one, another by number, and a savepoint', async (t) => {
  const { directory, savepoint, checkpoints } = await stored(t);
  const newest = JSON.parse((await checkpoints('show', directory, '--json')).out);
  assert.equal(newest.jobName, 'numbers');
  const { out } = await checkpoints('show', directory, 'numbers');
  assert.match(out, new RegExp(`Checkpoint ${newest.checkpointId} of job "numbers"`));
  assert.match(out, /operator "sums"/);
  const list = JSON.parse((await checkpoints('ls', directory, '--json')).out);
  const first: number = list[0].snapshots[0].checkpointId;
  const other = await checkpoints('show', directory, '--id', String(first));
  assert.match(other.out, new RegExp(`point ${first} of job`));
  assert.match((await checkpoints('show', savepoint)).out, /Savepoint \d+ of job "numbers"/);
  const path = join(directory, 'numbers', `chk-${newest.checkpointId}`);
  assert.equal(JSON.parse((await checkpoints('show', path, '--json')).out).kind, 'checkpoint');
});

test('checkpoints verify reads every byte and exits with 1 on damage', async (t) => {
  const { directory, savepoint, checkpoints } = await stored(t);
  const intact = await checkpoints('verify', directory);
  assert.equal(intact.code, exitCode.ok);
  assert.match(intact.out, /^intact {2}chk-\d+\/manifest\.json {2}\d+ runs?, /m);
  assert.equal((await checkpoints('verify', savepoint)).code, exitCode.ok);

  const manifest = globSync('numbers/chk-*/manifest.json', { cwd: directory }).sort()[0]!;
  const path = join(directory, manifest);
  const bytes = readFileSync(path);
  bytes[40]! ^= 1;
  writeFileSync(path, bytes);
  const damaged = await checkpoints('verify', directory);
  assert.equal(damaged.code, exitCode.failed);
  assert.match(damaged.out, /^DAMAGED {2}\S+\n {2}.*checksum/m);
  assert.match((await checkpoints('ls', directory)).out, /DAMAGED/);
});

test('checkpoints verify counts the bytes of damaged runs too', async (t) => {
  const { directory, checkpoints } = await stored(t);
  const all = Number(/runs, (.*) k?B/.exec((await checkpoints('verify', directory)).out)![1]);
  assert.ok(all > 0);
  for (const path of runFiles(directory)) {
    const bytes = readFileSync(path);
    bytes[40]! ^= 1;
    writeFileSync(path, bytes);
  }
  const { out } = await checkpoints('verify', directory);
  assert.match(out, /^DAMAGED {2}\S+ {2}\d+ runs, [^0]/m);
});

test('checkpoints gc shows what nothing refers to, and deletes it only when told', async (t) => {
  const { context, directory, checkpoints } = await stored(t);
  const job = join(directory, 'numbers');
  mkdirSync(join(job, 'shared'), { recursive: true });
  const orphan = join(job, 'shared', '1-9-x1.run');
  writeFileSync(orphan, 'left behind');
  writeFileSync(join(job, 'notes.txt'), 'not ours');
  const kept = runFiles(directory).filter((path) => path !== orphan);

  const dry = await checkpoints('gc', directory);
  const why = 'no kept checkpoint refers to it, written by process 1';
  assert.ok(dry.out.startsWith(`shared/1-9-x1.run  11 B  ${why}\n1 of `), dry.out);
  assert.ok(existsSync(orphan));
  const all = (await checkpoints('gc', directory, '--all')).out;
  assert.match(all, /^chk-\d+\/manifest\.json {2}\S+ \S+ {2}checkpoint \d+$/m);
  assert.match(all, /^shared\/1-1-\d+\.run {2}\S+ kB {2}state of checkpoints? [\d, ]+$/m);
  assert.match(all, /^notes\.txt .* not of the checkpoints$/m);

  assert.equal((await checkpoints('gc', directory, '--delete')).code, exitCode.ok);
  assert.ok(!existsSync(orphan));
  assert.ok(existsSync(join(job, 'notes.txt')));
  assert.deepEqual(runFiles(directory), kept);
  assert.equal((await checkpoints('verify', directory)).code, exitCode.ok);
  assert.match((await checkpoints('ls', directory)).out, /\(generation \d+\)/);
  assert.match((await checkpoints('gc', directory)).out, /nothing to delete/);
  assert.equal(context.written.error, '');
});

test('checkpoints gc --delete refuses while the job runs here', async (t) => {
  const { context, directory, checkpoints } = await stored(t);
  writeFileSync(join(directory, 'numbers', 'shared', '1-9-x1.run'), 'left behind');
  const { pid, runtimeDirectory } = context;
  prepareDirectory(runtimeDirectory);
  const facts = { startedAtMs: 0, socketPath: 's', file: 'f', checkpointDirectory: directory };
  registerJob(runtimeDirectory, { version: 1, job: 'numbers', pid, ...facts });
  assert.equal((await checkpoints('gc', directory, '--delete')).code, exitCode.usage);
  assert.match(context.written.error, /is running \(pid \d+\) and cleans up by itself/);
});

test('checkpoints refuses what is not there and says what is', async (t) => {
  const { context, directory, checkpoints } = await stored(t);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['ls', join(context.folder, 'nowhere')], /no checkpoints in .*nowhere/],
    [['ls', directory, 'other'], /no checkpoints of job "other"[\s\S]*Jobs: numbers/],
    [['show', directory, '--id', '999'], /no complete checkpoint 999/],
    [['show', join(directory, 'numbers', 'chk-999')], /there is no snapshot at/],
  ];
  for (const [args, message] of cases) {
    context.written.error = '';
    assert.equal((await checkpoints(...args)).code, exitCode.failed, args.join(' '));
    assert.match(context.written.error, message);
  }
  assert.equal((await checkpoints('tidy', directory)).code, exitCode.usage);
});
