// A real S3 server for tests: versitygw, from the Go module proxy, on a free port of loopback.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { installed, ServerInstallError } from './installed.ts';

const VERSION = '1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
const START_TIMEOUT_MS = 20_000;

/** A running server. */
export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Buckets are its directories: `mkdirSync(join(directory, 'bucket'))` makes one. */
  readonly directory: string;
  readonly pid: number;
  /** SIGKILL; the directory stays. */
  kill(): Promise<void>;
  /** Starts a killed server again, at the same endpoint with the same objects. */
  restart(): Promise<void>;
  /** Ends the process and removes the directory. */
  stop(): Promise<void>;
}

/**
 * The path of the program: `MILLRACE_VERSITYGW`, or built once into the cache of servers, which
 * takes minutes and needs Go.
 */
export async function versitygwProgram(): Promise<string> {
  const given = process.env.MILLRACE_VERSITYGW;
  if (given !== undefined && given !== '') return given;
  return join(await installed(`versitygw-${VERSION}`, build), 'versitygw');
}

async function build(folder: string): Promise<void> {
  const { status, error } = spawnSync('go', ['install', '-ldflags', '-s -w', MODULE], {
    cwd: folder, // outside of any module
    env: { ...process.env, CGO_ENABLED: '0', GOBIN: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return;
  throw new ServerInstallError(
    `could not build ${MODULE} (${error?.message ?? `go ended with ${status}`}): ` +
      'install Go, or name the program in MILLRACE_VERSITYGW',
  );
}

/** Starts a server with one bucket per name given. */
export async function startVersitygw(buckets: readonly string[]): Promise<S3Server> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-s3-'));
  for (const bucket of buckets) mkdirSync(join(directory, bucket));
  const [accessKeyId, secretAccessKey] = ['test', 'testtesttest'];
  const port = await freePort();
  const flags = ['--port', `127.0.0.1:${port}`, '--access', accessKeyId, '--secret'];
  const args = [...flags, secretAccessKey, '--quiet', 'posix', directory];
  const program = await versitygwProgram();
  const endpoint = `http://127.0.0.1:${port}`;
  let child = spawn(program, args, { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await answers(endpoint, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    directory,
    get pid() {
      return child.pid!;
    },
    kill: () => end(child),
    async restart() {
      await end(child);
      child = spawn(program, args, { stdio: 'ignore' });
      await answers(endpoint, child);
    },
    stop,
  };
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  for (const startMs = Date.now(); Date.now() - startMs < START_TIMEOUT_MS; ) {
    if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}`);
    const isThere = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`versitygw does not answer at ${endpoint}`);
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
