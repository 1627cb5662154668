import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import {
  type DirectoryEntry,
  type FileErrorKind,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from '../base/file-system.ts';

/** More are rarely in use at a time; a process may have 1 024 in all. */
const MAX_OPEN_DESCRIPTORS = 256;

/** Reads up to this size get a buffer without a look at how much the file holds. */
const UNASKED_BYTES = 65_536;

/** The kind of an error of node's `fs`, by its code. */
export function fileErrorKindOf(errno: string): FileErrorKind {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'not-found';
    case 'EEXIST':
      return 'exists';
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'full';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'permission';
    case 'EISDIR':
    case 'ENOTEMPTY':
      return 'directory';
    default:
      return 'other';
  }
}

/** The real disk. */
export function nodeFileSystem(): FileSystem {
  const descriptors = new OpenDescriptors();
  return {
    create: (file, options) =>
      attempt('create', file, async () => {
        const handle = await fs.open(file, options?.exclusive === true ? 'wx' : 'w');
        return writable(file, handle);
      }),
    openRead: (file) => attempt('open', file, async () => readable(file, await fs.open(file, 'r'))),
    readNow: (file, offset, length) => descriptors.read(file, offset, length),
    readFile: (file) => attempt('read', file, () => fs.readFile(file)),
    rename: (from, to) => attempt('rename', to, () => fs.rename(from, to)),
    link: (from, to) => attempt('link', to, () => fs.link(from, to)),
    delete: (file) => {
      descriptors.forget(file);
      return attempt('delete', file, () => fs.unlink(file), ['not-found']);
    },
    deleteDirectory: (directory) =>
      // POSIX lets rmdir say EEXIST for a directory that is not empty.
      attempt('delete', directory, () => fs.rmdir(directory), ['not-found', 'directory', 'exists']),
    makeDirectory,
    syncDirectory,
    list,
    stat,
  };
}

/** Files that `readNow` has open, the one that was not used for longest goes first. */
class OpenDescriptors {
  readonly #byPath = new Map<string, number>();

  read(file: string, offset: number, length: number): Uint8Array {
    try {
      const descriptor = this.#open(file);
      // Never much more than the file holds: the length may come from a damaged directory.
      const wanted =
        length > 0 && length <= UNASKED_BYTES
          ? length
          : bytesThere(fstatSync(descriptor), offset, length);
      const bytes = Buffer.allocUnsafeSlow(wanted);
      let filled = 0;
      while (filled < wanted) {
        const read = readSync(descriptor, bytes, filled, wanted - filled, offset + filled);
        if (read === 0) break;
        filled += read;
      }
      return filled === wanted ? bytes : bytes.subarray(0, filled);
    } catch (cause) {
      throw failure('read', file, cause);
    }
  }

  forget(file: string): void {
    const descriptor = this.#byPath.get(file);
    if (descriptor === undefined) return;
    this.#byPath.delete(file);
    closeSync(descriptor);
  }

  #open(file: string): number {
    const known = this.#byPath.get(file);
    if (known !== undefined) {
      this.#byPath.delete(file); // and last again
      this.#byPath.set(file, known);
      return known;
    }
    const descriptor = openSync(file, 'r');
    this.#byPath.set(file, descriptor);
    if (this.#byPath.size > MAX_OPEN_DESCRIPTORS) this.forget(this.#byPath.keys().next().value!);
    return descriptor;
  }
}

/** Bytes of a range that a file holds. A directory is opened like a file; it shows here. */
function bytesThere(stat: Stats, offset: number, length: number): number {
  if (stat.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  return Math.max(0, Math.min(length, stat.size - offset));
}

async function attempt<T>(operation: string, file: string, call: () => Promise<T>): Promise<T>;
async function attempt(
  operation: string,
  file: string,
  call: () => Promise<void>,
  ignored: readonly FileErrorKind[],
): Promise<void>;
async function attempt<T>(
  operation: string,
  file: string,
  call: () => Promise<T>,
  ignored: readonly FileErrorKind[] = [],
): Promise<T | undefined> {
  try {
    return await call();
  } catch (cause) {
    if (ignored.includes(fileErrorKindOf(errnoOf(cause)))) return undefined;
    throw failure(operation, file, cause);
  }
}

function failure(operation: string, file: string, cause: unknown): FileSystemError {
  const errno = errnoOf(cause);
  return new FileSystemError(
    `could not ${operation} "${file}": ${errno}`,
    { kind: fileErrorKindOf(errno), path: file },
    { cause },
  );
}

function errnoOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}

function writable(file: string, handle: fs.FileHandle): WritableFile {
  // One after the other: node may otherwise write overlapping calls in any order.
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(operation: string, call: () => Promise<T>): Promise<T> => {
    const next = last.then(() => attempt(operation, file, call));
    last = next.catch(() => {});
    return next;
  };
  return {
    write: (data) => inOrder('write', () => writeAll(handle, data)),
    sync: () => inOrder('sync', () => handle.sync()),
    close: () => inOrder('close', () => handle.close()),
  };
}

async function writeAll(handle: fs.FileHandle, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) {
    at += (await handle.write(data, at, data.length - at)).bytesWritten;
  }
}

function readable(file: string, handle: fs.FileHandle): ReadableFile {
  return {
    read: (offset, length) =>
      attempt('read', file, async () => {
        // Never more than the file holds: the length may come from a damaged directory.
        const buffer = new Uint8Array(bytesThere(await handle.stat(), offset, length));
        let filled = 0;
        while (filled < buffer.length) {
          const room = buffer.length - filled;
          const { bytesRead } = await handle.read(buffer, filled, room, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      }),
    close: () => attempt('close', file, () => handle.close()),
  };
}

// The names of new directories are durable only when the parents of all of them are synced.
async function makeDirectory(directory: string): Promise<void> {
  const make = () => fs.mkdir(directory, { recursive: true });
  const first = await attempt('create', directory, make).catch((error: unknown) => {
    throw fileInTheWay(directory, error) ?? error;
  });
  if (first === undefined) return;
  const top = path.dirname(path.resolve(first));
  let parent = path.dirname(path.resolve(directory));
  for (;;) {
    await syncDirectory(parent);
    if (parent === top || parent === path.dirname(parent)) return;
    parent = path.dirname(parent);
  }
}

// mkdir says EEXIST for a file of that name, ENOTDIR for one above it.
function fileInTheWay(directory: string, cause: unknown): FileSystemError | null {
  const kind = cause instanceof FileSystemError ? cause.details.kind : 'other';
  if (kind !== 'exists' && kind !== 'not-found') return null;
  return new FileSystemError(
    `"${directory}" cannot be a directory: it is a file, or lies below one`,
    { kind: 'not-directory', path: directory },
    { cause },
  );
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return; // has no such call; NTFS logs names by itself
  await attempt('sync', directory, async () => {
    const handle = await fs.open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

async function list(directory: string): Promise<DirectoryEntry[]> {
  try {
    const entries = await attempt('list', directory, () =>
      fs.readdir(directory, { withFileTypes: true }),
    );
    return entries
      .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (error instanceof FileSystemError && error.details.kind === 'not-found') return [];
    throw error;
  }
}

async function stat(file: string): Promise<FileStat | null> {
  try {
    const found = await attempt('stat', file, () => fs.stat(file));
    return { kind: kindOf(found), sizeBytes: found.size, modifiedAtMs: found.mtimeMs };
  } catch (error) {
    if (error instanceof FileSystemError && error.details.kind === 'not-found') return null;
    throw error;
  }
}

function kindOf(found: { isFile(): boolean; isDirectory(): boolean }): DirectoryEntry['kind'] {
  return found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
}
