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
  /** null: by a signal. */
  readonly exitCode: number | null;
  /** What the process wrote to standard error. */
  readonly errors: string;
  readonly aliveMs: number;
}

/** A running `millrace run`. */
export interface JobLife {
  readonly pid: number;
  readonly ended: Promise<LifeEnd>;
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): void;
  /** Any other signal: Ctrl-C, a pause, ... */
  signal(name: NodeJS.Signals): void;
}

/** Where a life takes place. */
export interface Surroundings {
  /** Default: that of this process. */
  readonly cwd?: string;
  /** Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts `millrace run` with these arguments.
 *
 * @param onLine gets every event as it comes
 */
export function startLife(
  args: readonly string[],
  onLine: (line: JobLine) => void,
  surroundings: Surroundings = {},
): JobLife {
  const startedAtMs = performance.now();
  const child: ChildProcess = spawn(process.execPath, [COMMAND, 'run', ...args, '--json'], {
    ...surroundings,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let killed = false;
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    // A line may be cut off by the kill.
    if (line.startsWith('{') && line.endsWith('}')) onLine(JSON.parse(line) as JobLine);
  });
  const ended = new Promise<LifeEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ killed, exitCode, errors, aliveMs: performance.now() - startedAtMs });
    });
  });
  return {
    // Without a process there is no id, and `ended` says why.
    pid: child.pid ?? -1,
    ended,
    kill: () => {
      killed = true;
      child.kill('SIGKILL');
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}
