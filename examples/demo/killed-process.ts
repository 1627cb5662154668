// One life of a job in a process of its own: started, watched through its JSON events, killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../packages/millrace/bin/millrace.js', import.meta.url));

/** An event of `millrace run --json`; see docs/reference/cli.md. */
export interface JobLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** How a life ended. */
export interface LifeEnd {
  readonly killed: boolean;
  readonly exitCode: number | null;
  /** What the process wrote to standard error. */
  readonly errors: string;
  readonly aliveMs: number;
}

/** A running `millrace run`. */
export interface JobLife {
  readonly ended: Promise<LifeEnd>;
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): void;
}

/**
 * Starts `millrace run` with these arguments.
 *
 * @param onLine gets every event as it comes
 */
export function startLife(args: readonly string[], onLine: (line: JobLine) => void): JobLife {
  const startedAtMs = performance.now();
  const child: ChildProcess = spawn(process.execPath, [COMMAND, 'run', ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let killed = false;
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (line.startsWith('{')) onLine(JSON.parse(line) as JobLine);
  });
  const ended = new Promise<LifeEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ killed, exitCode, errors, aliveMs: performance.now() - startedAtMs });
    });
  });
  return {
    ended,
    kill: () => {
      killed = true;
      child.kill('SIGKILL');
    },
  };
}
