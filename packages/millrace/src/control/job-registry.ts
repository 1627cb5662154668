import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

// Running jobs of one user on one machine: a folder that only the user may enter, with two files
// per job, `<name>-<hash>-<pid>.json` (below) and `.sock` (the control socket). An entry whose
// process is gone is stale; whoever looks removes it.

/** An entry of the registry. */
export interface RegisteredJob {
  readonly version: 1;
  readonly job: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly socketPath: string;
  /** The job's file, absolute. */
  readonly file: string;
  readonly checkpointDirectory: string;
}

/**
 * The user's folder for running jobs. Short, because the path of a socket has at most 103
 * characters. `MILLRACE_RUNTIME_DIR` puts it elsewhere.
 */
export function runtimeDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const given = env.MILLRACE_RUNTIME_DIR;
  if (given !== undefined && given !== '') return given;
  const base = env.XDG_RUNTIME_DIR;
  if (base !== undefined && base !== '') return join(base, 'millrace');
  return join(tmpdir(), `millrace-${userInfo().uid}`);
}

/**
 * Where the socket of a job is. Job names may be long and hold any character, so a short readable
 * part and a hash stand for them.
 */
export function socketPath(directory: string, job: string, pid: number): string {
  const name = entryName(job, pid);
  // Windows has no sockets in the file system that Node can listen on: named pipes instead.
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\millrace-${name}`
    : join(directory, `${name}.sock`);
}

/**
 * Makes the folder, for its owner alone.
 *
 * @throws Error if it is there and belongs to somebody else: he could listen in
 */
export function prepareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!isOurs(directory)) throw new Error(`${directory} belongs to another user`);
  if (process.platform !== 'win32') chmodSync(directory, 0o700);
}

/** Enters a job. The entry appears whole or not at all. @returns removes it again */
export function registerJob(directory: string, job: RegisteredJob): () => void {
  const path = entryPath(directory, job.job, job.pid);
  writeFileSync(`${path}.part`, `${JSON.stringify(job)}\n`, { mode: 0o600 });
  renameSync(`${path}.part`, path);
  return () => rmSync(path, { force: true });
}

/**
 * Running jobs in the order of their start. Removes stale entries and their sockets.
 *
 * @param isAlive whether a process lives; the default asks the system
 */
export function registeredJobs(
  directory: string,
  isAlive: (pid: number) => boolean = processIsAlive,
): RegisteredJob[] {
  const jobs: RegisteredJob[] = [];
  // Somebody else's folder under our name, or none: whatever it says is not about our jobs.
  if (!isOurs(directory)) return jobs;
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.json')) continue;
    const path = join(directory, name);
    const entry = readEntry(path);
    if (entry !== null && isAlive(entry.pid)) {
      jobs.push(entry);
      continue;
    }
    removeEntry(path);
  }
  return jobs.sort((a, b) => a.startedAtMs - b.startedAtMs || a.pid - b.pid);
}

/** Removes the entry of a job whose process id lives on in another process. */
export function forgetJob(directory: string, { job, pid }: RegisteredJob): void {
  removeEntry(entryPath(directory, job, pid));
}

function removeEntry(path: string): void {
  rmSync(path, { force: true });
  rmSync(path.replace(/\.json$/, '.sock'), { force: true });
}

function entryPath(directory: string, job: string, pid: number): string {
  return join(directory, `${entryName(job, pid)}.json`);
}

/** Not through a symbolic link, which could lead into a folder that is ours by chance. */
function isOurs(directory: string): boolean {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory()) return false;
  return process.platform === 'win32' || stat.uid === userInfo().uid;
}

function readEntry(path: string): RegisteredJob | null {
  try {
    const entry: RegisteredJob = JSON.parse(readFileSync(path, 'utf8'));
    return entry.version === 1 && Number.isInteger(entry.pid) ? entry : null;
  } catch {
    return null;
  }
}

function entryName(job: string, pid: number): string {
  const readable = job.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 20);
  const hash = createHash('sha256').update(job).digest('hex').slice(0, 6);
  return `${readable}-${hash}-${pid}`;
}

function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
