// Goal: what npm would publish works for somebody who has nothing of this checkout. Method: build,
// npm pack, install the tarballs in an empty folder, make a project, run its job and its tests, all
// without a network.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
const project = join(folder, 'shop', 'my-orders');

// The Node that runs this test comes first, as it would for a user who has just one.
// A test runner that finds itself in another one runs nothing: the project's own must not know.
const { NODE_TEST_CONTEXT: _, ...outer } = process.env;
const env = {
  ...outer,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
  MILLRACE_RUNTIME_DIR: join(folder, 'run'),
  NODE_OPTIONS: '',
};

function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function tarballs(): string[] {
  return globSync('*.tgz', { cwd: folder }).map((name) => join(folder, name));
}

before(() => {
  run(root, process.execPath, 'tools/start.js', 'tools/build.ts');
  for (const name of readdirSync(join(root, 'dist'))) {
    run(join(root, 'dist', name), 'npm', 'pack', '--pack-destination', folder);
  }
  const shop = join(folder, 'shop');
  mkdirSync(shop);
  writeFileSync(join(shop, 'package.json'), '{ "name": "shop", "private": true }');
  run(shop, 'npm', 'install', '--offline', '--no-audit', '--no-fund', ...tarballs());
  run(shop, 'npx', 'millrace', 'new', 'my-orders');
  // The compiler is that of the checkout (below): there is no network to fetch the project's own.
  const compiler = ['devDependencies.typescript', 'devDependencies.@types/node'];
  run(project, 'npm', 'pkg', 'delete', ...compiler);
  // The registry does not have this version: the same names and versions come from the tarballs.
  run(project, 'npm', 'install', '--offline', '--no-audit', '--no-fund', ...tarballs());
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('packages hold JavaScript and declarations, and no TypeScript sources or tests', () => {
  const scope = join(project, 'node_modules');
  for (const name of ['millrace', '@millrace/core', '@millrace/connectors', '@millrace/testing']) {
    const files = globSync('**/*', { cwd: join(scope, name, 'dist') });
    assert.ok(files.includes('index.js') && files.includes('index.d.ts'), name);
    const wrong = files.filter((file) => /(?<!\.d)\.ts$|\.test\./.test(file));
    assert.deepEqual(wrong, [], name);
    assert.ok(existsSync(join(scope, name, 'LICENSE')), name);
  }
});

test('the project type-checks against the published declarations', () => {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = join(root, 'node_modules', '@types');
  run(project, process.execPath, compiler, '-p', '.', '--typeRoots', types);
});

test('the installed command explains errors', () => {
  const section = run(project, 'npx', 'millrace', 'help', 'errors', 'JOB_FENCED');
  assert.match(section, /^JOB_FENCED\n\n\w/);
});

test('npm start runs the job to its end and writes the totals', () => {
  run(project, 'npm', 'start');
  const totals = globSync('output/**/*.jsonl', { cwd: project })
    .flatMap((name) => readFileSync(join(project, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line));
  const orders = readFileSync(join(project, 'data', 'orders.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sum = (values: readonly { amount?: number; revenue?: number }[]): number =>
    values.reduce((all, one) => all + (one.amount ?? one.revenue ?? 0), 0);
  assert.equal(sum(totals), sum(orders));
  assert.ok(totals.length > 5);
});

test('npm test passes in the project', () => {
  assert.match(run(project, 'npm', 'test'), /^(?:# |ℹ )pass 2$/m);
});

test('the installed command plans the job and knows its version', () => {
  assert.match(run(project, 'npx', 'millrace', 'plan', 'order-totals.ts'), /window "revenue"/);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(run(project, 'npx', 'millrace', '--version').trim(), version);
});
