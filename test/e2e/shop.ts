// What end-to-end tests work with: a folder that goes away, the real command in it, processes that
// are watched through what they say and that never outlive their test.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobLine } from '../../examples/demo/killed-process.ts';

const root = join(import.meta.dirname, '..', '..');
const bin = join(root, 'packages', 'millrace', 'bin', 'millrace.js');
const jobs = join(import.meta.dirname, 'jobs');
/** Only for a process that hangs: a machine may be slow. */
const deadlineMs = 90_000;

const compiled = mkdtempSync(join(tmpdir(), 'millrace-compiled-'));
process.on('exit', () => rmSync(compiled, { recursive: true, force: true }));

/** For the environment of processes: only the first one has to compile all of Millrace. */
export const quickStart: Readonly<NodeJS.ProcessEnv> = { NODE_COMPILE_CACHE: compiled };

/** What a command that has ended has said. */
export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A folder with the command in it; both go when the test ends. */
export class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
  readonly #processes: ChildProcess[] = [];
  readonly #last: (() => void)[] = [];
  readonly #env = {
    ...process.env,
    ...quickStart,
    MILLRACE_RUNTIME_DIR: join(this.folder, 'run'),
  };

  constructor(context: TestContext) {
    context.after(async () => {
      for (const child of this.#processes) {
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (isOver) continue;
        const ended = new Promise((resolve) => child.once('close', resolve));
        child.kill('SIGKILL'); // ends a paused one, too
        await ended;
      }
      for (const run of this.#last) run();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Runs when no process is left, before the folder goes. */
  atEnd(run: () => void): void {
    this.#last.push(run);
  }

  /** Runs a command to its end, which must be a good one. */
  millrace(...args: string[]): string {
    const options = { cwd: this.folder, env: this.#env, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync(process.execPath, [bin, ...args], options);
  }

  /** Runs a command to its end, whatever that is. */
  ask(...args: string[]): Answer {
    const options = { cwd: this.folder, env: this.#env, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], options);
    return { code: status, out: stdout, err: stderr };
  }

  /** Starts `millrace run jobs/<job>.ts`, checkpoints in `cp`, ten a second; it fails at once. */
  startJob(job: string, ...args: string[]): Running {
    const file = join(jobs, `${job}.ts`);
    const fixed = ['--checkpoint-dir', 'cp', '--interval', '100ms', '--restart', 'none'];
    const given = ['run', file, ...fixed, ...args];
    const options = { cwd: this.folder, env: this.#env, stdio: 'pipe' } as const;
    const child = spawn(process.execPath, [bin, ...given], options);
    this.#processes.push(child);
    return new Running(child);
  }

  /** Starts the job that counts. */
  start(...args: string[]): Running {
    return this.startJob('counting', ...args);
  }

  /** Records in finished files below a folder. */
  read<T>(pattern = 'output/**/*.jsonl'): T[] {
    return globSync(pattern, { cwd: this.folder })
      .flatMap((name) => readFileSync(join(this.folder, name), 'utf8').split('\n'))
      .filter((line) => line !== '')
      .map((line): T => JSON.parse(line));
  }

  /** Numbers in finished files, sorted. */
  written(): number[] {
    return this.read<{ number: number }>()
      .map(({ number }) => number)
      .sort((a, b) => a - b);
  }
}

/** A `millrace run` under observation. */
export class Running {
  readonly child: ChildProcess;
  /** Standard output and standard error as they came. */
  text = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
      });
    }
  }

  /** Events so far; needs `--json`. */
  events(name: string): JobLine[] {
    return this.text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line): JobLine => JSON.parse(line))
      .filter(({ event }) => event === name);
  }

  /** Waits until that many events have come. */
  async saw(name: string, count = 1): Promise<JobLine> {
    await this.#until(() => this.events(name).length >= count, `${count} ${name}`);
    return this.events(name).at(-1)!;
  }

  async says(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.text), String(pattern));
  }

  /** The exit code; null after a signal. Fails if the process does not end. */
  async exit(): Promise<number | null> {
    const { child } = this;
    for (const start = performance.now(); ; await sleep(20)) {
      // Not before both streams are closed: the last words must be there.
      const isOver = child.exitCode !== null || child.signalCode !== null;
      if (isOver && child.stdout!.closed && child.stderr!.closed) return child.exitCode;
      assert.ok(performance.now() - start < deadlineMs, `never ended, but said:\n${this.text}`);
    }
  }

  async #until(isTrue: () => boolean, what: string): Promise<void> {
    for (const start = performance.now(); !isTrue(); await sleep(20)) {
      const isOver = this.child.exitCode !== null || this.child.signalCode !== null;
      const isLate = performance.now() - start > deadlineMs;
      // What was said last may come after the end.
      if (isOver) await this.exit();
      assert.ok(isTrue() || !(isOver || isLate), `no ${what}, but:\n${this.text}`);
    }
  }
}

/** Each number from 0 on is there once. */
export function assertEachOnce(numbers: readonly number[]): void {
  assert.ok(numbers.length > 0, 'nothing was written');
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );
}
