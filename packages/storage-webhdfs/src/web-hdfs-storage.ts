import {
  type CheckpointStorage,
  checkObjectName,
  ChunkSource,
  compareNames,
  type NetworkAttempt,
  NetworkCalls,
  type NetworkPolicy,
  type StorageCallOptions,
  type StorageErrorDetails,
  type StoredObject,
  type StorageOpener,
  StorageUnavailableError,
} from '@millrace/core/storage';
import type { Environment } from '@millrace/core/host';
import type { OutgoingBody } from './exchange.ts';
import { childrenIn, type HdfsChild, isFalse } from './file-status.ts';
import { isBeyondEnd, isMissing, mayHaveCreated, RemoteFailure } from './remote-failure.ts';
import type { WebHdfsClient } from './web-hdfs-client.ts';
import { storageErrorOf } from './web-hdfs-errors.ts';

// An object is a file below the base path. It appears under its name in one step:
//
//   temporary file --CREATE, all bytes, synced--> --RENAME (put: over what is there |
//                                                    createIfAbsent: only if nothing is there)-->
//
// H1. Whoever sees the name sees the whole content. A CREATE that breaks off leaves a file with
//     what had come: only ever under a temporary name, and each attempt has one of its own.
// H2. A RENAME without OVERWRITE is one step under the NameNode's lock: one winner.
// H3. Durable: CREATE with SYNC_BLOCK answers when each replica has synced its data and its
//     directory; the NameNode has its journal synced before it answers a RENAME.
// H4. A temporary file's name begins with "~", which no object's name does: never listed.
// H5. A RENAME whose outcome is unknown is repeated for `put` only. Its temporary file is gone
//     then and the name is there: it was done.
// H6. A CREATE that was given up may reach the NameNode behind the DELETE of its file, through the
//     DataNode. So a DELETE that finds nothing is sent again, for `LATE_CREATE_DELAYS_MS` in all.

const TEMPORARY_PREFIX = '~';
const PARALLEL_DELETES = 8;
const DISCARD_TIMEOUT_MS = 3_000;
const LATE_CREATE_DELAYS_MS = [50, 200, 800];

/** What the storage works with. */
export interface WebHdfsParts {
  readonly client: WebHdfsClient;
  readonly location: string;
  /** Base path: absolute, no slash at its end. */
  readonly path: string;
  readonly environment: Pick<Environment, 'clock' | 'scheduler' | 'random'>;
  readonly policy: NetworkPolicy;
  /** Parameters of every CREATE. */
  readonly createParameters: Readonly<Record<string, string>>;
  readonly opener: StorageOpener | null;
}

/** Checkpoints in HDFS. */
export class WebHdfsStorage implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate = true;
  readonly opener?: StorageOpener;
  readonly #parts: WebHdfsParts;
  readonly #calls: NetworkCalls;
  readonly #lastWords: NetworkCalls;
  readonly #discards = new Set<Promise<void>>();

  constructor(parts: WebHdfsParts) {
    this.location = parts.location;
    if (parts.opener !== null) this.opener = parts.opener;
    this.#parts = parts;
    const { environment, policy } = parts;
    this.#calls = new NetworkCalls(environment, policy);
    const brief = { attemptCount: 1, callTimeoutMs: DISCARD_TIMEOUT_MS };
    this.#lastWords = new NetworkCalls(environment, { ...policy, ...brief });
  }

  async put(
    name: string,
    chunks: readonly Uint8Array[],
    options?: StorageCallOptions,
  ): Promise<void> {
    const details = this.#details('put', name);
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const temporary = await this.#writeTemporary(details, { chunks, sizeBytes }, true, options);
    await this.#publish(details, temporary, options);
  }

  async putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    const details = this.#details('put', name);
    const source = new ChunkSource(chunks);
    const body = { chunks: source, sizeBytes: null };
    let temporary: string;
    try {
      temporary = await this.#writeTemporary(details, body, false, options);
    } catch (error) {
      throw source.failure === null ? error : source.failure.error;
    }
    await this.#publish(details, temporary, options);
  }

  async createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    const details = this.#details('createIfAbsent', name);
    const body = { chunks: [data], sizeBytes: data.length };
    const temporary = await this.#writeTemporary(details, body, true, options);
    let outcome: 'created' | 'exists' | 'unknown' = 'unknown';
    try {
      outcome = await this.#run(details, options, false, (attempt) =>
        this.#renameIfAbsent(details, temporary, attempt),
      );
      return outcome;
    } finally {
      if (outcome !== 'created') await this.#discard(temporary);
    }
  }

  async get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    return this.#read(this.#details('get', name), {}, options);
  }

  async getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    const range = { offset: String(offset), length: String(length) };
    return this.#read(this.#details('getRange', name), range, options);
  }

  async list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    const found: StoredObject[] = [];
    // Only the directory that the prefix lies in can hold matches, and what is below it.
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    await this.#walk(start, 'list', prefix, options, (name, child) => {
      if (child.isDirectory) {
        const below = `${name}/`;
        return below.startsWith(prefix) || prefix.startsWith(below);
      }
      const isObject = !child.name.startsWith(TEMPORARY_PREFIX) && name.startsWith(prefix);
      if (isObject) found.push({ name, sizeBytes: child.sizeBytes });
      return false;
    });
    return found.sort(compareNames);
  }

  delete(name: string, options?: StorageCallOptions): Promise<void> {
    return this.deleteAll([name], options);
  }

  async deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    for (const name of names) this.#details('delete', name);
    const left = [...names];
    const parents = new Set(names.map(parentOf).filter((parent) => parent !== ''));
    const worker = async (): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        await this.#deleteFile(name, options);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL_DELETES, left.length) }, worker));
    for (const parent of parents) await this.#dropEmpty(parent, options);
  }

  /** Removes the temporary files of writers that died, and of those that live. */
  async removeLeftovers(options?: StorageCallOptions): Promise<void> {
    const found: string[] = [];
    await this.#walk('', 'delete', '', options, (name, child) => {
      if (!child.isDirectory && child.name.startsWith(TEMPORARY_PREFIX)) found.push(name);
      return child.isDirectory;
    });
    for (const name of found) await this.#deleteFile(name, options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#discards);
    this.#parts.client.close();
  }

  /** @returns the path of a file that holds the body, whole and durable, under no object's name */
  #writeTemporary(
    details: StorageErrorDetails,
    body: OutgoingBody,
    isRepeatable: boolean,
    options: StorageCallOptions | undefined,
  ): Promise<string> {
    const { client, environment, createParameters } = this.#parts;
    const excluded = new Set<string>();
    const directory = this.#path(parentOf(details.name));
    const sentBytes = body.sizeBytes ?? 0;
    return this.#run(
      details,
      options,
      isRepeatable,
      async (attempt) => {
        const temporary = `${directory}/${TEMPORARY_PREFIX}${environment.random.hex(12)}`;
        try {
          await client.create(temporary, createParameters, body, excluded, attempt);
          return temporary;
        } catch (error) {
          if (mayHaveCreated(error)) this.#discardLater(temporary, LATE_CREATE_DELAYS_MS);
          throw error;
        }
      },
      sentBytes,
    );
  }

  async #publish(
    details: StorageErrorDetails,
    temporary: string,
    options: StorageCallOptions | undefined,
  ): Promise<void> {
    const path = this.#path(details.name);
    let mayBeDone = false; // by an attempt that heard no answer
    try {
      await this.#run(details, options, true, async (attempt) => {
        const parameters = { op: 'RENAME', destination: path, renameoptions: 'OVERWRITE' };
        try {
          const answer = await this.#parts.client.ask('PUT', temporary, parameters, attempt);
          if (isFalse(answer)) throw takenAway(details);
        } catch (error) {
          if (!isMissing(error)) {
            mayBeDone = true;
            throw error;
          }
          if (mayBeDone && (await this.#exists(path, attempt))) return; // H5
          throw takenAway(details, error);
        }
      });
    } catch (error) {
      this.#discardLater(temporary);
      throw error;
    }
  }

  async #renameIfAbsent(
    details: StorageErrorDetails,
    temporary: string,
    attempt: NetworkAttempt,
  ): Promise<'created' | 'exists'> {
    const { client } = this.#parts;
    const path = this.#path(details.name);
    const parameters = { op: 'RENAME', destination: path, renameoptions: 'NONE' };
    try {
      const answer = await client.ask('PUT', temporary, parameters, attempt);
      if (!isFalse(answer)) return 'created';
      // A gateway that knows no options says only that it did not do it.
      if (await this.#exists(path, attempt)) return 'exists';
    } catch (error) {
      if (error instanceof RemoteFailure && error.exception === 'FileAlreadyExistsException') {
        return 'exists';
      }
      if (!isMissing(error)) throw error;
    }
    throw takenAway(details);
  }

  async #exists(path: string, attempt: NetworkAttempt): Promise<boolean> {
    try {
      await this.#parts.client.ask('GET', path, { op: 'GETFILESTATUS' }, attempt);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async #read(
    details: StorageErrorDetails,
    range: Readonly<Record<string, string>>,
    options: StorageCallOptions | undefined,
  ): Promise<Uint8Array> {
    const excluded = new Set<string>();
    return this.#run(details, options, true, async (attempt) => {
      try {
        const path = this.#path(details.name);
        return await this.#parts.client.open(path, range, excluded, attempt);
      } catch (error) {
        if (isBeyondEnd(error)) return new Uint8Array(0);
        throw error;
      }
    });
  }

  /** Visits what is below a directory. @param visit whether to go into a directory */
  async #walk(
    directory: string,
    operation: 'list' | 'delete',
    prefix: string,
    options: StorageCallOptions | undefined,
    visit: (name: string, child: HdfsChild) => boolean,
  ): Promise<void> {
    const details = { location: this.location, operation, name: prefix };
    const path = this.#path(directory === '' ? '' : directory.slice(0, -1));
    const below: string[] = [];
    for (let startAfter = ''; ; ) {
      const parameters = { op: 'LISTSTATUS_BATCH', ...(startAfter === '' ? {} : { startAfter }) };
      const page = await this.#run(details, options, true, async (attempt) => {
        try {
          return childrenIn(await this.#parts.client.ask('GET', path, parameters, attempt));
        } catch (error) {
          if (isMissing(error)) return { children: [], hasMore: false }; // or just gone
          throw error;
        }
      });
      for (const child of page.children) {
        const name = directory + child.name;
        if (child.name !== '' && visit(name, child)) below.push(`${name}/`);
      }
      if (!page.hasMore) break;
      startAfter = page.children.at(-1)!.name;
    }
    await Promise.all(below.map((one) => this.#walk(one, operation, prefix, options, visit)));
  }

  async #deleteFile(name: string, options: StorageCallOptions | undefined): Promise<void> {
    const details = { location: this.location, operation: 'delete', name } as const;
    await this.#run(details, options, true, (attempt) =>
      this.#ignoringAbsence(() => this.#deletePath(this.#path(name), attempt)),
    );
  }

  // Directories are no objects: `chk-7/` goes with its last object.
  async #dropEmpty(directory: string, options: StorageCallOptions | undefined): Promise<void> {
    const details = { location: this.location, operation: 'delete', name: directory } as const;
    for (let name = directory; name !== ''; name = parentOf(name)) {
      const isGone = await this.#run(details, options, true, async (attempt) => {
        try {
          await this.#ignoringAbsence(() => this.#deletePath(this.#path(name), attempt));
          return true;
        } catch (error) {
          const isUsed =
            error instanceof RemoteFailure && error.exception.includes('NotEmptyDirectory');
          if (isUsed) return false;
          throw error;
        }
      });
      if (!isGone) return;
    }
  }

  async #ignoringAbsence(remove: () => Promise<unknown>): Promise<void> {
    try {
      await remove();
    } catch (error) {
      const isBelowFile =
        error instanceof RemoteFailure && error.message.includes('is not a directory');
      if (!isMissing(error) && !isBelowFile) throw error;
    }
  }

  #deletePath(path: string, attempt: NetworkAttempt): Promise<unknown> {
    return this.#parts.client.ask('DELETE', path, { op: 'DELETE', recursive: 'false' }, attempt);
  }

  #discardLater(temporary: string, delaysMs: readonly number[] = []): void {
    const discard = this.#discard(temporary, delaysMs);
    this.#discards.add(discard);
    void discard.then(() => this.#discards.delete(discard));
  }

  /**
   * Frees the space if it can; what cannot be removed now is a leftover.
   *
   * @param delaysMs if nothing is there, it is looked for again after each of them (H6)
   */
  async #discard(temporary: string, delaysMs: readonly number[] = []): Promise<void> {
    const { scheduler } = this.#parts.environment;
    const details = { location: this.location, operation: 'delete', name: temporary } as const;
    for (const delayMs of [0, ...delaysMs]) {
      if (delayMs > 0) await new Promise<void>((done) => scheduler.after(delayMs, done));
      const answer = await this.#lastWords
        .run({
          details,
          signal: undefined,
          isRepeatable: false,
          attempt: (attempt) => this.#deletePath(temporary, attempt),
          errorOf: (error) => storageErrorOf(error, details),
        })
        .catch(() => null);
      if (!isFalse(answer)) return;
    }
  }

  #run<T>(
    details: StorageErrorDetails,
    options: StorageCallOptions | undefined,
    isRepeatable: boolean,
    attempt: (attempt: NetworkAttempt) => Promise<T>,
    sentBytes = 0,
  ): Promise<T> {
    return this.#calls.run({
      details,
      signal: options?.signal,
      sentBytes,
      isRepeatable,
      attempt,
      errorOf: (error) => storageErrorOf(error, details),
    });
  }

  /** @throws StorageNameError */
  #details(operation: StorageErrorDetails['operation'], name: string): StorageErrorDetails {
    const details = { location: this.location, operation, name };
    checkObjectName(details);
    return details;
  }

  #path(name: string): string {
    return name === '' ? this.#parts.path : `${this.#parts.path}/${name}`;
  }
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

function takenAway(details: StorageErrorDetails, cause?: unknown): StorageUnavailableError {
  const { name, location } = details;
  const what = `could not write "${name}" in ${location}: its temporary file was removed`;
  return new StorageUnavailableError(what, details, { cause });
}
