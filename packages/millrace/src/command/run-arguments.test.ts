import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from './command-errors.ts';
import { parseRestart } from './restart-argument.ts';
import { readRunArguments, resumeCommand } from './run-arguments.ts';

const here = '/jobs';

test('readRunArguments without options checkpoints beside the job and changes no default', () => {
  assert.deepEqual(readRunArguments(['orders.ts'], here), {
    file: '/jobs/orders.ts',
    options: { parameters: {}, checkpoints: { directory: '/jobs/.millrace/checkpoints' } },
    checkpointDirectory: '/jobs/.millrace/checkpoints',
    isDefaultDirectory: true,
    display: 'live',
  });
});

test('readRunArguments puts the default directory beside the nearest package.json', () => {
  const source = import.meta.dirname;
  const { checkpointDirectory } = readRunArguments(['job.ts'], source);
  assert.equal(checkpointDirectory, join(source, '..', '..', '.millrace', 'checkpoints'));
});

test('readRunArguments understands every option', () => {
  const line =
    'orders.ts --from sp/1 --param a=b=c --param d= --checkpoint-dir s3://bucket/x ' +
    '--interval 500ms --retain 3 --state-memory 256mb --parallelism 4 --max-parallelism 256 ' +
    '--restart fixed:3:10s ' +
    '--restore-mode claim --allow-duplicates --allow-dropped-state --assume-single-writer ' +
    '--standby --json';
  const given = readRunArguments(line.split(' '), here);
  assert.deepEqual(given.options, {
    parameters: { a: 'b=c', d: '' },
    checkpoints: { directory: 's3://bucket/x', intervalMs: 500, numRetained: 3 },
    memory: { stateBytes: 268_435_456 },
    parallelism: 4,
    maxParallelism: 256,
    restart: { kind: 'fixedDelay', attempts: 3, delayMs: 10_000 },
    from: '/jobs/sp/1',
    restoreMode: 'claim',
    allowDuplicates: true,
    allowDroppedState: true,
    assumeSingleWriter: true,
    standby: true,
  });
  assert.equal(given.display, 'json');
  assert.equal(given.isDefaultDirectory, false);
});

test('readRunArguments keeps the words latest and none as they are', () => {
  for (const from of ['latest', 'none']) {
    assert.equal(readRunArguments(['a.ts', '--from', from], here).options.from, from);
  }
});

test('readRunArguments refuses what it does not understand and names the help', () => {
  const wrong = [
    [],
    ['a.ts', 'b.ts'],
    ['a.ts', '--paralellism', '2'],
    ['a.ts', '--parallelism', '0'],
    ['a.ts', '--restore-mode', 'mine'],
    ['a.ts', '--state-memory', '256'],
    ['a.ts', '--state-memory', '0mb'],
    ['a.ts', '--parallelism', '1.5'],
    ['a.ts', '--parallelism'],
    ['a.ts', '--interval', '10'],
    ['a.ts', '--interval', '0s'],
    ['a.ts', '--param', 'novalue'],
    ['a.ts', '--param', '=x'],
    ['a.ts', '--quiet', '--json'],
    ['a.ts', '--restart', 'sometimes'],
  ];
  for (const args of wrong) {
    assert.throws(
      () => readRunArguments(args, here),
      (error) => error instanceof UsageError && /help run/.test(error.hint ?? ''),
      args.join(' '),
    );
  }
});

test('parseRestart reads every strategy', () => {
  assert.deepEqual(parseRestart('none'), { kind: 'none' });
  assert.deepEqual(parseRestart('rate:5:10m:1s'), {
    kind: 'failureRate',
    maxFailures: 5,
    intervalMs: 600_000,
    delayMs: 1_000,
  });
  assert.deepEqual(parseRestart('exponential'), { kind: 'exponentialDelay' });
  assert.deepEqual(parseRestart('exponential:1s:1m'), {
    kind: 'exponentialDelay',
    initialDelayMs: 1_000,
    maxDelayMs: 60_000,
  });
});

test('parseRestart refuses missing and surplus parts', () => {
  for (const text of ['none:1', 'fixed', 'fixed:3', 'fixed:x:1s', 'rate:1:1s', 'exponential:1']) {
    assert.throws(() => parseRestart(text), UsageError, text);
  }
});

test('resumeCommand drops where the last run began and quotes for a shell', () => {
  assert.equal(
    resumeCommand(['my jobs/o.ts', '--from', 'none', '--param', "who=o'neill", '--quiet']),
    "npx millrace run 'my jobs/o.ts' --param 'who=o'\\''neill' --quiet",
  );
  assert.equal(resumeCommand(['o.ts', '--from=sp', '--allow-duplicates']), 'npx millrace run o.ts');
});
