import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  prepareDirectory,
  registeredJobs,
  registerJob,
  runtimeDirectory,
  socketPath,
} from './job-registry.ts';

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const directory = join(folder, 'run');
  prepareDirectory(directory);
  return directory;
}

function entry(job: string, pid: number, startedAtMs = 0) {
  return {
    version: 1,
    job,
    pid,
    startedAtMs,
    socketPath: 's',
    file: 'f',
    checkpointDirectory: 'c',
  } as const;
}

test('registeredJobs lists running jobs in the order of their start', (context) => {
  const directory = folderFor(context);
  registerJob(directory, entry('b', 1, 20));
  registerJob(directory, entry('a', 2, 10));
  const jobs = registeredJobs(directory, () => true);
  assert.deepEqual(
    jobs.map(({ job }) => job),
    ['a', 'b'],
  );
});

test('registeredJobs removes entries and sockets of processes that are gone', (context) => {
  const directory = folderFor(context);
  registerJob(directory, entry('dead', 1));
  const socket = socketPath(directory, 'dead', 1);
  writeFileSync(socket, '');
  writeFileSync(join(directory, 'broken.json'), '{');
  assert.deepEqual(
    registeredJobs(directory, () => false),
    [],
  );
  assert.equal(existsSync(socket), false);
  assert.equal(existsSync(join(directory, 'broken.json')), false);
});

test('registerJob takes its own entry away again', (context) => {
  const directory = folderFor(context);
  const unregister = registerJob(directory, entry('a', process.pid));
  assert.equal(registeredJobs(directory).length, 1);
  unregister();
  assert.deepEqual(registeredJobs(directory), []);
});

test('the folder of running jobs is for its owner alone', (context) => {
  const directory = folderFor(context);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('a link in the place of the folder is not followed', (context) => {
  const directory = folderFor(context);
  registerJob(directory, entry('a', process.pid));
  const link = `${directory}-link`;
  symlinkSync(directory, link);
  assert.deepEqual(registeredJobs(link), []);
  assert.throws(() => prepareDirectory(link), /belongs to another user/);
});

test('registeredJobs of a folder that is not there is empty', () => {
  assert.deepEqual(registeredJobs('/nowhere/at/all'), []);
});

test('socketPath stays short and tells jobs apart whose names look alike', () => {
  const long = 'x'.repeat(300);
  assert.ok(socketPath('/tmp/millrace-1000', long, 4_194_304).length <= 103);
  assert.notEqual(socketPath('/t', 'a/b', 1), socketPath('/t', 'a_b', 1));
});

test('runtimeDirectory follows its variable, then the system', () => {
  assert.equal(runtimeDirectory({ MILLRACE_RUNTIME_DIR: '/x', XDG_RUNTIME_DIR: '/y' }), '/x');
  assert.equal(runtimeDirectory({ XDG_RUNTIME_DIR: '/y' }), '/y/millrace');
  assert.match(runtimeDirectory({}), /millrace-\d+$/);
});
