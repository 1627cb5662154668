import { messageOf } from '../base/errors.ts';
import {
  type FileErrorKind,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from '../base/file-system.ts';
import type { Random } from '../base/environment.ts';
import type { CheckpointStorage, StorageCallOptions, StoredObject } from './checkpoint-storage.ts';
import { ChunkSource } from './chunk-source.ts';
import { checkObjectName, compareNames } from './object-name.ts';
import {
  failedCall,
  type StorageError,
  type StorageErrorDetails,
  StorageNameError,
  StorageFullError,
  StorageNotDirectoryError,
  StorageNotFoundError,
  StoragePermissionError,
  StorageUnavailableError,
} from './storage-errors.ts';

// An object is a file below the directory. It appears under its name in one step:
//
//   temporary file --write, sync--> --rename (put) | link (createIfAbsent)--> --sync directory-->
//
// F1. Whoever sees the name sees the whole content, also after a crash.
// F2. `link` fails if the name is taken, also by another process: one winner.
// F3. A temporary file's name begins with "~", which no object's name does: never listed.
// F4. Whose temporary file was taken away by `removeLeftovers` finds the storage unavailable, and
//     tries again with another one.

const TEMPORARY_PREFIX = '~';
const CREATE_REPETITIONS = 3;

/** Checkpoints in a directory of a disk that all processes of the job see. */
export class FileStorage implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate = true;
  readonly #directory: string;
  readonly #files: FileSystem;
  readonly #random: Random;
  readonly #made = new Set<string>();

  /**
   * @param directory made when the first object is written
   * @param random for the names of temporary files, which must differ between processes
   */
  constructor(directory: string, fileSystem: FileSystem, random: Random) {
    this.#directory = directory.length > 1 ? directory.replace(/\/+$/, '') : directory;
    this.location = this.#directory;
    this.#files = fileSystem;
    this.#random = random;
  }

  put(name: string, chunks: readonly Uint8Array[], options?: StorageCallOptions): Promise<void> {
    return this.#put(name, chunks, options);
  }

  async putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    const source = new ChunkSource(chunks);
    try {
      await this.#put(name, source, options);
    } catch (error) {
      throw source.failure === null ? error : source.failure.error;
    }
  }

  createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    return this.#attempt('createIfAbsent', name, options, () =>
      this.#withTemporary(name, [data], options, async (temporary) => {
        try {
          await this.#files.link(temporary, this.#path(name));
          return 'created';
        } catch (error) {
          if (kindOf(error) === 'exists') return 'exists';
          throw error;
        } finally {
          await this.#files.delete(temporary);
        }
      }),
    );
  }

  get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    return this.#attempt('get', name, options, () => this.#files.readFile(this.#path(name)));
  }

  getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    return this.#attempt('getRange', name, options, async () => {
      const file: ReadableFile = await this.#files.openRead(this.#path(name));
      try {
        return await file.read(offset, length);
      } finally {
        await file.close();
      }
    });
  }

  getRangeNow(name: string, offset: number, length: number): Uint8Array {
    const details = { location: this.location, operation: 'getRange', name } as const;
    checkObjectName(details);
    try {
      return this.#files.readNow(this.#path(name), offset, length);
    } catch (error) {
      throw storageErrorOf(error, details);
    }
  }

  async list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    const found: StoredObject[] = [];
    await this.#attempt(
      'list',
      prefix,
      options,
      async () => {
        // Only the directory that the prefix lies in can hold matches, and what is below it.
        const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
        await this.#collect(start, prefix, found);
      },
      false,
    );
    return found.sort(compareNames);
  }

  delete(name: string, options?: StorageCallOptions): Promise<void> {
    return this.#attempt('delete', name, options, async () => {
      await this.#files.delete(this.#path(name));
      await this.#dropEmptyParents(name);
    });
  }

  async deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    for (const name of names) await this.delete(name, options);
  }

  async close(): Promise<void> {}

  /** Removes the temporary files of writers that died, and of those that live (F4). */
  async removeLeftovers(options?: StorageCallOptions): Promise<void> {
    const found: string[] = [];
    await this.#attempt(
      'delete',
      '',
      options,
      async () => {
        await this.#collectTemporaries('', found);
        for (const name of found) await this.#files.delete(this.#path(name));
      },
      false,
    );
  }

  #put(name: string, chunks: Chunks, options: StorageCallOptions | undefined): Promise<void> {
    return this.#attempt('put', name, options, () =>
      this.#withTemporary(name, chunks, options, (temporary) =>
        this.#files.rename(temporary, this.#path(name)),
      ),
    );
  }

  async #withTemporary<T>(
    name: string,
    chunks: Chunks,
    options: StorageCallOptions | undefined,
    publish: (temporary: string) => Promise<T>,
  ): Promise<T> {
    const directory = parentOf(this.#path(name));
    const temporary = `${directory}/${TEMPORARY_PREFIX}${this.#random.hex(12)}`;
    let isPublished = false;
    try {
      await this.#writeDurably(directory, temporary, chunks, options);
      const result = await publish(temporary);
      isPublished = true;
      await this.#files.syncDirectory(directory);
      return result;
    } catch (error) {
      // Frees the space if it can; the first error is the one that counts.
      if (!isPublished) await this.#files.delete(temporary).catch(() => {});
      if (kindOf(error) !== 'not-found') throw error;
      const what = 'the temporary file or its directory was removed';
      throw new FileSystemError(what, { kind: 'other', path: temporary }, { cause: error }); // F4
    }
  }

  async #writeDurably(
    directory: string,
    path: string,
    chunks: Chunks,
    options: StorageCallOptions | undefined,
  ): Promise<void> {
    const file = await this.#createIn(directory, path);
    try {
      for await (const chunk of chunks) {
        options?.signal?.throwIfAborted();
        await file.write(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  // Whoever deletes the last object of a directory removes it, perhaps after we have made it.
  async #createIn(directory: string, path: string): Promise<WritableFile> {
    for (let repetition = 0; ; repetition++) {
      await this.#makeDirectory(directory);
      try {
        return await this.#files.create(path, { exclusive: true });
      } catch (error) {
        if (kindOf(error) !== 'not-found' || repetition === CREATE_REPETITIONS) throw error;
        this.#made.delete(directory);
      }
    }
  }

  async #makeDirectory(directory: string): Promise<void> {
    if (this.#made.has(directory)) return;
    await this.#files.makeDirectory(directory);
    this.#made.add(directory);
  }

  async #collect(directory: string, prefix: string, found: StoredObject[]): Promise<void> {
    for (const entry of await this.#files.list(this.#path(directory))) {
      const name = directory + entry.name;
      if (entry.name.startsWith(TEMPORARY_PREFIX)) continue;
      if (entry.kind === 'directory') {
        const below = `${name}/`;
        const mayMatch = below.startsWith(prefix) || prefix.startsWith(below);
        if (mayMatch) await this.#collect(below, prefix, found);
      } else if (entry.kind === 'file' && name.startsWith(prefix)) {
        const stat = await this.#files.stat(this.#path(name));
        if (stat !== null) found.push({ name, sizeBytes: stat.sizeBytes }); // else just deleted
      }
    }
  }

  async #collectTemporaries(directory: string, found: string[]): Promise<void> {
    for (const entry of await this.#files.list(this.#path(directory))) {
      const name = directory + entry.name;
      if (entry.kind === 'directory') await this.#collectTemporaries(`${name}/`, found);
      else if (entry.name.startsWith(TEMPORARY_PREFIX)) found.push(name);
    }
  }

  // Directories are no objects: `chk-7/` goes with its last object. Not durable, hence repeatable.
  async #dropEmptyParents(name: string): Promise<void> {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const directory = this.#path(name.slice(0, end));
      this.#made.delete(directory);
      await this.#files.deleteDirectory(directory);
    }
  }

  #path(name: string): string {
    return name === '' ? this.#directory : `${this.#directory}/${name}`;
  }

  async #attempt<T>(
    operation: StorageErrorDetails['operation'],
    name: string,
    options: StorageCallOptions | undefined,
    call: () => Promise<T>,
    isObject = true,
  ): Promise<T> {
    const details = { location: this.location, operation, name };
    try {
      if (isObject) checkObjectName(details);
      options?.signal?.throwIfAborted();
      return await call();
    } catch (error) {
      if (options?.signal?.aborted && error === options.signal.reason) throw error;
      throw error instanceof StorageNameError ? error : storageErrorOf(error, details);
    }
  }
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function kindOf(error: unknown): FileErrorKind {
  return error instanceof FileSystemError ? error.details.kind : 'other';
}

function storageErrorOf(error: unknown, details: StorageErrorDetails): StorageError {
  const what = failedCall(details);
  const cause = { cause: error };
  switch (kindOf(error)) {
    case 'not-found':
    case 'directory':
      return new StorageNotFoundError(`${what}: there is no such object`, details, cause);
    case 'full':
      return new StorageFullError(`${what}: the disk or the quota is full`, details, {
        ...cause,
        hint: 'Free space or raise the quota; checkpoints go on by themselves then.',
      });
    case 'permission':
      return new StoragePermissionError(`${what}: permission denied`, details, {
        ...cause,
        hint: 'Let the user of this process read and write the directory.',
      });
    case 'not-directory':
      return new StorageNotDirectoryError(`${what}: ${messageOf(error)}`, details, {
        ...cause,
        hint: 'Choose another checkpoint directory, or move the file away.',
      });
    default:
      return new StorageUnavailableError(`${what}: ${messageOf(error)}`, details, cause);
  }
}
