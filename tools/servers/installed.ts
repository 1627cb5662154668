// Foreign servers for tests are installed once, into a folder of the user's cache.
//
//   (nothing) --lock, make in `<name>.part`--> rename --> <name>/ (whole; never changed again)
//
// I1. `<name>/` is there whole or not at all: an installation that broke off begins anew.
// I2. One process installs at a time; the others wait for it. The lock of a dead process is void.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 200;

/** Where servers are kept: `MILLRACE_SERVER_CACHE`, or a folder in the cache folder of the user. */
export function serverCache(env: Readonly<Record<string, string | undefined>>): string {
  const given = env.MILLRACE_SERVER_CACHE;
  if (given !== undefined && given !== '') return given;
  const base = env.XDG_CACHE_HOME;
  return join(
    base === undefined || base === '' ? join(homedir(), '.cache') : base,
    'millrace',
    'servers',
  );
}

/** A server that cannot be installed here; the message says what to do. */
export class ServerInstallError extends Error {}

/**
 * The folder of an installed server; installs it first if it is not there.
 *
 * @param name with the version: another version is another folder
 * @param make fills the empty folder it is given
 * @returns the absolute path
 * @throws what `make` throws
 */
export async function installed(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = serverCache(process.env);
  const folder = join(cache, name);
  const lock = `${folder}.lock`;
  mkdirSync(cache, { recursive: true });
  while (!existsSync(folder)) {
    if (!takeLock(lock)) {
      await sleep(LOOK_MS);
      continue;
    }
    try {
      if (existsSync(folder)) break; // made while we waited
      const part = `${folder}.part`;
      rmSync(part, { recursive: true, force: true });
      mkdirSync(part);
      await make(part);
      renameSync(part, folder);
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return folder;
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = readOwner(lock);
    if (owner !== null && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  }
}

function readOwner(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null; // not written yet
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
