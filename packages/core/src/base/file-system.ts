import { StreamError } from './errors.ts';

/**
 * Files, as far as the engine and its connectors need them. The embedded host gives the real disk,
 * the simulator one that loses what was not synced.
 *
 * Paths are absolute or relative to the process, with `/`. Errors are `FileSystemError`s with a
 * `kind`; what the driver does not know is kind `other`. Durability: content is durable after
 * `sync` of the file, a name (create, rename, delete) after `syncDirectory` of its directory.
 */
export interface FileSystem {
  /** Opens a new or empty file for writing; `exclusive` fails with kind `exists` if it is there. */
  create(path: string, options?: { readonly exclusive?: boolean }): Promise<WritableFile>;
  openRead(path: string): Promise<ReadableFile>;
  /**
   * At once: bytes of a file from `offset`, fewer than `length` only at its end. For files whose
   * content never changes: the driver may keep them open. Blocks the thread; about 2 us for what
   * the system has cached.
   */
  readNow(path: string, offset: number, length: number): Uint8Array;
  /** The whole file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Moves; an existing file at `to` is replaced, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file in one step; kind `exists` if `to` is there. */
  link(from: string, to: string): Promise<void>;
  /** Removes a file; nothing happens if there is none. */
  delete(path: string): Promise<void>;
  /** Removes an empty directory; nothing happens if it is missing or not empty. */
  deleteDirectory(path: string): Promise<void>;
  /** With its parents; nothing happens if it is there. Durable when the promise resolves. */
  makeDirectory(path: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted; empty if the directory is missing. */
  list(path: string): Promise<DirectoryEntry[]>;
  /** null if there is nothing. */
  stat(path: string): Promise<FileStat | null>;
}

/** A name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
}

/** What is known of a name without opening it. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other';
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** Calls on one file may overlap; writes take effect in the order of the calls. */
export interface WritableFile {
  /** Appends all of it. */
  write(data: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** An open file; reads may overlap. */
export interface ReadableFile {
  /** Bytes from `offset`, fewer than `length` only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Why a call failed; `full` covers quotas, `permission` read-only disks, `not-directory` says that
 * `makeDirectory` found a file on its way.
 */
export type FileErrorKind =
  | 'not-found'
  | 'exists'
  | 'full'
  | 'permission'
  | 'directory'
  | 'not-directory'
  | 'other';

/** A call on files failed; `kind` says what can be told apart. */
export class FileSystemError extends StreamError<{ kind: FileErrorKind; path: string }> {
  static override readonly code = 'FILE_SYSTEM';
  static override readonly domain = 'external';
  static override readonly retry = 'backoff';
}
