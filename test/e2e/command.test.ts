// Goal: a user's day with the command: start, look, checkpoint, savepoint, Ctrl-C, kill, go on;
// each number is written once. Method: real processes and signals.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..');
const bin = join(root, 'packages', 'millrace', 'bin', 'millrace.js');
const jobFile = join(import.meta.dirname, 'jobs', 'counting.ts');
const deadlineMs = 30_000;

class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
  readonly #processes: ChildProcess[] = [];
  readonly #env = { ...process.env, MILLRACE_RUNTIME_DIR: join(this.folder, 'run') };

  constructor(context: TestContext) {
    context.after(() => {
      for (const child of this.#processes) child.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Runs a command to its end. */
  millrace(...args: string[]): string {
    const options = { cwd: this.folder, env: this.#env, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync(process.execPath, [bin, ...args], options);
  }

  /** Starts the job. */
  start(...args: string[]): Running {
    const given = ['run', jobFile, '--checkpoint-dir', 'cp', '--interval', '100ms', ...args];
    const options = { cwd: this.folder, env: this.#env, stdio: 'pipe' } as const;
    const child = spawn(process.execPath, [bin, ...given], options);
    this.#processes.push(child);
    return new Running(child);
  }

  /** Numbers in finished files, sorted. */
  written(): number[] {
    return globSync('output/**/*.jsonl', { cwd: this.folder })
      .flatMap((name) => readFileSync(join(this.folder, name), 'utf8').trim().split('\n'))
      .filter((line) => line !== '')
      .map((line): number => JSON.parse(line).number)
      .sort((a, b) => a - b);
  }
}

class Running {
  readonly child: ChildProcess;
  text = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
      });
    }
  }

  async says(pattern: RegExp): Promise<void> {
    for (const start = performance.now(); !pattern.test(this.text); await sleep(20)) {
      const isOver = this.child.exitCode !== null || performance.now() - start > deadlineMs;
      assert.ok(!isOver, `never said ${pattern}, but:\n${this.text}`);
    }
  }

  /** The exit code; fails if the process does not end. */
  async exit(): Promise<number | null> {
    const { child } = this;
    for (const start = performance.now(); child.exitCode === null; await sleep(20)) {
      if (child.signalCode !== null) return null;
      assert.ok(performance.now() - start < deadlineMs, `never ended, but said:\n${this.text}`);
    }
    return child.exitCode;
  }
}

function assertEachOnce(numbers: readonly number[]): void {
  assert.ok(numbers.length > 0, 'nothing was written');
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );
}

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
