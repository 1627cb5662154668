import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fakeContext, type FakeContext } from '../../test/fake-context.ts';
import { dispatch } from './dispatch.ts';
import { exitCode } from './exit-code.ts';
import { helpText } from './help.ts';
import { packageRoot, packageVersion } from './package-version.ts';
import { runOptionSpecs } from './run-arguments.ts';

function contextFor(test: TestContext): FakeContext {
  const context = fakeContext();
  test.after(() => context.dispose());
  return context;
}

test('millrace without arguments, --help and help show the general help', async (t) => {
  for (const args of [[], ['--help'], ['help']]) {
    const context = contextFor(t);
    assert.equal(await dispatch(context, args), exitCode.ok);
    assert.equal(context.written.out, helpText(undefined));
  }
});

test('help of a command shows it, with --help too', async (t) => {
  for (const args of [
    ['help', 'run'],
    ['run', '--help'],
  ]) {
    const context = contextFor(t);
    assert.equal(await dispatch(context, args), exitCode.ok);
    assert.match(context.written.out, /^millrace run <job\.ts>/);
  }
});

test('help errors shows the section of a code, and all codes without one', async (t) => {
  const context = contextFor(t);
  assert.equal(await dispatch(context, ['help', 'errors', 'job_fenced']), exitCode.ok);
  assert.match(context.written.out, /^JOB_FENCED\n\n[^#]+\n$/);
  assert.equal(await dispatch(context, ['help', 'errors']), exitCode.ok);
  assert.match(context.written.out, /^CORRUPT_RUN$/m);
  assert.equal(await dispatch(context, ['help', 'errors', 'JOB_FENCD']), exitCode.usage);
  assert.match(context.written.error, /did you mean JOB_FENCED\?/);
});

test('what was mistyped is guessed', async (t) => {
  for (const [args, guess] of [
    [['run', 'job.ts', '--paralelism', '2'], /'--paralelism'; did you mean --parallelism\?/],
    [['chekpoint'], /did you mean "checkpoint"\?/],
    [['run', 'job.ts', '--restart', 'fixed:3'], /write fixed:ATTEMPTS:DELAY, such as/],
  ] as const) {
    const context = contextFor(t);
    assert.equal(await dispatch(context, args), exitCode.usage);
    assert.match(context.written.error, guess);
  }
});

test('--version is that of the package', async (t) => {
  const context = contextFor(t);
  assert.equal(await dispatch(context, ['--version']), exitCode.ok);
  assert.equal(context.written.out, `${packageVersion()}\n`);
});

test('unknown commands and options exit with 2 and name the help', async (t) => {
  for (const args of [['fly'], ['help', 'fly'], ['list', '--loud'], ['--loud']]) {
    const context = contextFor(t);
    assert.equal(await dispatch(context, args), exitCode.usage, args.join(' '));
    assert.match(context.written.error, /code: USAGE/);
    assert.match(context.written.error, /hint: See "npx millrace help/);
  }
});

test('every option of run is in its help and in the reference', () => {
  const reference = readFileSync(join(packageRoot, '../../docs/reference/cli.md'), 'utf8');
  for (const name of Object.keys(runOptionSpecs)) {
    assert.match(helpText('run')!, new RegExp(`--${name}\\b`));
    assert.match(reference, new RegExp(`--${name}\\b`));
  }
});

test('every exit code is in the reference', () => {
  const reference = readFileSync(join(packageRoot, '../../docs/reference/cli.md'), 'utf8');
  for (const code of Object.values(exitCode)) {
    assert.match(reference, new RegExp(`^\\| ${code} \\|`, 'm'));
  }
});

test('new makes a project with its name and our version, in an empty place only', async (t) => {
  const context = contextFor(t);
  assert.equal(await dispatch(context, ['new', 'my-orders']), exitCode.ok);
  const folder = join(context.folder, 'my-orders');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  assert.equal(manifest.name, 'my-orders');
  assert.equal(manifest.dependencies.millrace, packageVersion());
  assert.equal(manifest.devDependencies['@millrace/testing'], packageVersion());
  const root = JSON.parse(readFileSync(join(packageRoot, '../../package.json'), 'utf8'));
  for (const name of ['typescript', '@types/node']) {
    assert.equal(manifest.devDependencies[name], root.devDependencies[name], name);
  }
  assert.ok(existsSync(join(folder, '.gitignore')));
  assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), /^# my-orders\n/);
  assert.equal(await dispatch(context, ['new', 'my-orders']), exitCode.failed);
  assert.match(context.written.error, /my-orders is not empty/);
});

test('new refuses names that npm would refuse', async (t) => {
  const context = contextFor(t);
  assert.equal(await dispatch(context, ['new', 'My Orders']), exitCode.usage);
});

test('plan shows the chains of a job for its parameters', async (t) => {
  const context = contextFor(t);
  const node = (uid: string): string =>
    `{ uid: '${uid}', hasExplicitUid: true, displayName: null, spec: { kind: 'source', ` +
    "watermarks: null, source: { name: 'made', boundedness: 'bounded', delivery: " +
    "'exactly-once' } }, parallelism: null, maxParallelism: null, chaining: 'always' }";
  mkdirSync(context.folder, { recursive: true });
  writeFileSync(
    join(context.folder, 'job.ts'),
    `const node = ${node('x')};
     const build = ({ uid }) => ({ jobName: 'p', edges: [], nodes: [{ ...node, uid }] });
     export default { name: 'p', build };`,
  );
  const args = ['plan', 'job.ts', '--param', 'uid=orders', '--parallelism', '2'];
  assert.equal(await dispatch(context, args), exitCode.ok, context.written.error);
  assert.match(context.written.out, /chain orders, parallelism 2 of 128\n {2}source "orders"/);
  context.written.out = '';
  assert.equal(await dispatch(context, [...args, '--json']), exitCode.ok);
  assert.equal(JSON.parse(context.written.out).chains[0].id, 'orders');
});

test('the bin file says plainly which Node it needs, on one that is too old', () => {
  const bin = join(packageRoot, 'bin', 'millrace.js');
  const definition = "Object.defineProperty(process,'versions',{value:{node:'20.1.0'}});";
  assert.throws(
    () => {
      const args = ['--import', `data:text/javascript,${definition}`, bin, 'list'];
      execFileSync(process.execPath, args, { stdio: 'pipe', encoding: 'utf8' });
    },
    (error: { status?: number; stderr?: string }) =>
      error.status === exitCode.nodeVersion &&
      /millrace needs Node 24 or newer, and this is Node 20\.1\.0/.test(error.stderr ?? ''),
  );
});
