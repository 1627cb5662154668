// Goal: a running job answers to signals and to the other commands. Method: the real command,
// socket and registry around a job that only remembers what it was asked.
import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { StreamError } from '@millrace/core';
import { fakeContext, type FakeContext } from '../../test/fake-context.ts';
import { fakeCheckpoint, FakeExecution, fakeRun } from '../../test/fake-execution.ts';
import { prepareDirectory, registeredJobs, registerJob } from '../control/job-registry.ts';
import { UsageError } from './command-errors.ts';
import { dispatch } from './dispatch.ts';
import { exitCode } from './exit-code.ts';

class NotRunning extends StreamError {
  static override readonly code = 'JOB_NOT_RUNNING';
}

interface Started {
  readonly context: FakeContext;
  readonly execution: FakeExecution;
  readonly calls: ReturnType<typeof fakeRun>['calls'];
  readonly exit: Promise<number>;
}

async function start(
  test: TestContext,
  args: readonly string[] = [],
  execution: FakeExecution = new FakeExecution(),
): Promise<Started> {
  const { run, calls } = fakeRun(execution);
  const context = fakeContext({ run });
  test.after(() => context.dispose());
  writeJob(context.folder);
  const exit = dispatch(context, ['run', 'job.ts', ...args]);
  while (registeredJobs(context.runtimeDirectory).length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { context, execution, calls, exit };
}

function writeJob(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'job.ts'),
    "const build = () => ({ jobName: 'orders', nodes: [], edges: [] });\n" +
      "export default { name: 'orders', build };",
  );
}

test('run ends with 0 when the job finishes, and leaves nothing in the registry', async (t) => {
  const { context, execution, calls, exit } = await start(t, ['--param', 'day=1']);
  execution.end();
  assert.equal(await exit, exitCode.ok);
  assert.equal(calls[0]!.job.name, 'orders');
  assert.deepEqual(calls[0]!.options.parameters, { day: '1' });
  assert.deepEqual(registeredJobs(context.runtimeDirectory), []);
  assert.match(context.written.error, /checkpoints go to \.millrace\/checkpoints/);
  assert.match(context.written.error, / {2}orders: 0 records read\norders finished\n$/);
});

test('run shows the events of the job from the first one on', async (t) => {
  const { context, execution, exit } = await start(t);
  execution.emit({ kind: 'standingBy', ownerGeneration: 3 });
  execution.emit({ kind: 'claimed', generation: 4, instanceId: 'a', leftBehind: 5 });
  const restored = { kind: 'restored', checkpointId: 6, durationMs: 12, changes: [] } as const;
  execution.emit({ ...restored, from: 'chk-6/manifest.json', hadFinished: false });
  execution.emit({ ...restored, from: '/sp/orders', hadFinished: true });
  execution.end();
  await exit;
  assert.match(context.written.error, /standing by: generation 3 of the job is running\n/);
  assert.match(context.written.error, /generation 4; output up to checkpoint 5 is already out/);
  assert.match(context.written.error, /restored checkpoint 6 in 12 ms\n/);
  assert.match(context.written.error, /restored checkpoint 6 from \/sp\/orders in 12 ms; /);
  assert.match(context.written.error, /this job had finished at checkpoint 6: .*--from none/);
});

test('a first Ctrl-C stops with a checkpoint and says how to go on', async (t) => {
  const { context, execution, exit } = await start(t, ['--from', 'none', '--interval', '5s']);
  context.signal('SIGINT');
  assert.equal(await exit, exitCode.ok);
  assert.deepEqual(execution.asked, ['stop {}']);
  assert.match(context.written.error, /orders stopped at checkpoint 7\n/);
  assert.match(context.written.error, /go on with: npx millrace run job\.ts --interval 5s\n/);
});

test('a second signal ends at once with 130, of SIGTERM 143', async (t) => {
  for (const [signal, code] of [
    ['SIGINT', exitCode.interrupted],
    ['SIGTERM', exitCode.terminated],
  ] as const) {
    const execution = new FakeExecution();
    execution.ignoresStop = true;
    const { context, exit } = await start(t, [], execution);
    context.signal(signal);
    context.clock.nowMs += 600;
    context.signal(signal);
    assert.equal(await exit, code);
  }
});

test('one Ctrl-C that arrives twice, passed on by npm, is one', async (t) => {
  const execution = new FakeExecution();
  execution.ignoresStop = true;
  const { context, exit } = await start(t, [], execution);
  context.signal('SIGINT');
  context.clock.nowMs += 20;
  context.signal('SIGINT');
  execution.end({ status: 'stopped' });
  assert.equal(await exit, exitCode.ok);
  assert.deepEqual(execution.asked, ['stop {}']);
});

test('Ctrl-C between two attempts ends a job that cannot take a checkpoint', async (t) => {
  const { context, execution, exit } = await start(t);
  execution.refusal = new NotRunning('job "orders" is restarting', {});
  context.signal('SIGINT');
  assert.equal(await exit, exitCode.ok);
  assert.deepEqual(execution.asked, ['stop {}', 'cancel']);
  assert.match(context.written.error, /is restarting: ending without another checkpoint/);
});

test('a signal before the job has started ends at once', async (t) => {
  const called = Promise.withResolvers<void>();
  const context = fakeContext({
    run() {
      called.resolve();
      return new Promise(() => {});
    },
  });
  t.after(() => context.dispose());
  writeJob(context.folder);
  const exit = dispatch(context, ['run', 'job.ts', '--standby']);
  await called.promise;
  context.signal('SIGINT');
  assert.equal(await exit, exitCode.interrupted);
  assert.match(context.written.error, /ended: the job had not begun to run\n$/);
});

test('run ends with 1 and a report when the job fails', async (t) => {
  const { context, execution, exit } = await start(t);
  execution.fail(new Error('disk on fire'));
  assert.equal(await exit, exitCode.failed);
  assert.match(context.written.error, /error: disk on fire/);
});

test('run --json writes events, metrics and the failure as data', async (t) => {
  const { context, execution, exit } = await start(t, ['--json']);
  execution.emit({ kind: 'status', status: 'running' });
  context.tick();
  execution.fail(new UsageError('no', { command: 'x' }));
  assert.equal(await exit, exitCode.usage);
  const events = context.written.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event);
  assert.deepEqual(events, ['status', 'metrics', 'failed']);
  assert.equal(context.written.error, '');
});

test('checkpoint, savepoint and list reach the running job through its socket', async (t) => {
  const { context, execution, exit } = await start(t);
  assert.equal(await dispatch(context, ['checkpoint']), exitCode.ok);
  assert.equal(await dispatch(context, ['savepoint', 'sp', 'orders']), exitCode.ok);
  assert.equal(await dispatch(context, ['list']), exitCode.ok);
  assert.deepEqual(execution.asked, ['checkpoint', `savepoint ${join(context.folder, 'sp')}`]);
  assert.match(context.written.out, /checkpoint 7 complete in 45 ms, 1.2 kB/);
  assert.match(context.written.out, /savepoint complete: .*sp\/orders-1/);
  assert.match(context.written.out, /orders {2}pid \d+ .* running {2}checkpoint 7/);
  execution.end();
  await exit;
});

test('stop waits for the end, and the job answers before its process ends', async (t) => {
  const { context, execution, exit } = await start(t);
  const code = await dispatch(context, ['stop', '--drain', '--savepoint', 'sp', '--json']);
  assert.equal(code, exitCode.ok);
  assert.equal(await exit, exitCode.ok);
  const directory = join(context.folder, 'sp');
  assert.deepEqual(execution.asked, [
    `stop ${JSON.stringify({ drain: true, savepointDirectory: directory })}`,
  ]);
  const result = JSON.parse(context.written.out);
  assert.equal(result.lastCheckpoint.path, directory);
  assert.match(context.written.error, new RegExp(`go on with: .* --from ${directory}\n`));
});

test('cancel ends the job', async (t) => {
  const { context, execution, exit } = await start(t);
  assert.equal(await dispatch(context, ['cancel', 'orders']), exitCode.ok);
  assert.equal(await exit, exitCode.ok);
  assert.deepEqual(execution.asked, ['cancel']);
});

test('what a job refuses comes back with its code and hint', async (t) => {
  const { context, execution, exit } = await start(t);
  execution.refusal = new UsageError('not now', { command: 'x' }, { hint: 'Later.' });
  assert.equal(await dispatch(context, ['checkpoint']), exitCode.failed);
  assert.match(context.written.error, /checkpoint of job "orders" failed: not now/);
  assert.match(context.written.error, /remoteCode USAGE/);
  assert.match(context.written.error, /hint: Later\./);
  execution.end();
  await exit;
});

test('the control socket is for its owner alone and refuses what it does not know', async (t) => {
  const { context, execution, exit } = await start(t);
  const [job] = registeredJobs(context.runtimeDirectory);
  assert.equal(statSync(job!.socketPath).mode & 0o777, 0o600);
  const socket = connect(job!.socketPath).setEncoding('utf8');
  socket.write('{"millrace":9,"id":1,"command":"status"}\n');
  let received = '';
  for await (const chunk of socket) {
    received += chunk;
    if (received.split('\n').length > 2) break;
  }
  const [greeting, refusal] = received.split('\n').map((line) => line && JSON.parse(line));
  assert.deepEqual(greeting, { millrace: 1, job: 'orders', pid: context.pid });
  assert.equal(refusal.id, 1);
  assert.equal(refusal.error.code, 'BAD_REQUEST');
  execution.end();
  await exit;
});

test('commands for running jobs exit with 6 when there is none', async (t) => {
  const context = fakeContext();
  t.after(() => context.dispose());
  for (const args of [['stop'], ['cancel', 'orders'], ['checkpoint'], ['savepoint', 'x']]) {
    assert.equal(await dispatch(context, args), exitCode.notRunning, args.join(' '));
  }
  assert.equal(await dispatch(context, ['list']), exitCode.ok);
  assert.match(context.written.out, /no running jobs/);
});

test('run refuses files that are missing, do not load, or export no job', async (t) => {
  const context = fakeContext();
  t.after(() => context.dispose());
  writeFileSync(join(context.folder, 'enum.ts'), 'enum A { B }\nexport default A;');
  writeFileSync(join(context.folder, 'none.ts'), 'export const x = 1;');
  for (const [file, message] of [
    ['gone.ts', /there is no file/],
    ['enum.ts', /could not load .*\n.*\n.*\n {2}hint: Node strips types only/],
    ['none.ts', /does not export a job by default/],
  ] as const) {
    context.written.error = '';
    assert.equal(await dispatch(context, ['run', file]), exitCode.failed);
    assert.match(context.written.error, message);
  }
});

test('list forgets a job whose process id went to another process', async (t) => {
  const context = fakeContext();
  t.after(() => context.dispose());
  const { pid, runtimeDirectory, folder } = context;
  prepareDirectory(runtimeDirectory);
  const socketPath = join(folder, 'nobody.sock');
  const facts = { startedAtMs: 0, socketPath, file: 'f', checkpointDirectory: 'c' };
  registerJob(runtimeDirectory, { version: 1, job: 'old', pid, ...facts });
  assert.equal(await dispatch(context, ['list']), exitCode.ok);
  assert.equal(context.written.out, 'no running jobs\n');
  assert.deepEqual(registeredJobs(runtimeDirectory), []);
});

test('a job that was drained is not told to go on', async (t) => {
  const { context, execution, exit } = await start(t);
  execution.end({ status: 'stopped', lastCheckpoint: fakeCheckpoint(), drained: true });
  await exit;
  assert.match(context.written.error, /orders stopped at checkpoint 7; it was drained, so /);
  assert.doesNotMatch(context.written.error, /go on with:/);
});

test('a last savepoint is what a stopped job is started from again', async (t) => {
  const { context, execution, exit } = await start(t);
  execution.end({
    status: 'stopped',
    lastCheckpoint: fakeCheckpoint({ kind: 'savepoint', path: '/sp/a b' }),
  });
  await exit;
  assert.match(context.written.error, /npx millrace run job\.ts --from '\/sp\/a b'\n$/);
});
