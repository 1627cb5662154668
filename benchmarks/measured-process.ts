// One measured process: started, watched from outside, ended by its id.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What was seen of a process from outside. Bytes. */
export interface MeasuredRun {
  /** The JSON object on its last line of standard output. */
  readonly result: Readonly<Record<string, unknown>>;
  /** Greatest resident memory. */
  readonly rssMaxBytes: number;
  /** Resident memory over time, a sample every half second. */
  readonly rss: readonly number[];
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

/** Starts a process that dies with this one. Its standard error is ours. */
export function startProcess(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/**
 * Runs a program to its end.
 *
 * @throws Error if it fails, prints no JSON, or takes longer than `timeoutMs` (it is killed then)
 */
export async function measuredRun(
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<MeasuredRun> {
  const child = startProcess(command, args);
  const rss: number[] = [];
  let rssMaxBytes = 0;
  const sample = setInterval(() => {
    const { current, max } = residentBytes(child.pid!);
    if (current > 0) rss.push(current);
    rssMaxBytes = Math.max(rssMaxBytes, max);
  }, 500);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.once('close', (code) => resolve(code)));
  clearInterval(sample);
  clearTimeout(timer);
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0 || !line.startsWith('{')) {
    throw new Error(`${command} ${args.slice(0, 3).join(' ')} ... ended with ${code}: ${line}`);
  }
  return { result: JSON.parse(line), rssMaxBytes, rss };
}

/** Resident memory of a process now and at its greatest; zeros if that cannot be told. */
export function residentBytes(pid: number): { readonly current: number; readonly max: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024;
    return { current: read('VmRSS'), max: read('VmHWM') };
  } catch {
    return { current: 0, max: 0 };
  }
}
