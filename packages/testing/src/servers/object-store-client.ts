import {
  checkObjectName,
  type CheckpointStorage,
  ChunkSource,
  type StorageCallOptions,
  type StorageErrorDetails,
  StorageNotFoundError,
  StoragePermissionError,
  StorageThrottledError,
  StorageUnavailableError,
  type StoredObject,
} from '@millrace/core/storage';
import type { ServerFailure } from './server-faults.ts';
import type { VirtualObjectStore } from './virtual-object-store.ts';
import type { ServerClient } from './virtual-server.ts';

type Operation = StorageErrorDetails['operation'];

const BATCH_NAMES = 1_000;

/** The `CheckpointStorage` of one simulated process; made by `VirtualObjectStore.storage`. */
export class ObjectStoreClient implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate: boolean;
  readonly #store: VirtualObjectStore;
  readonly #client: ServerClient;
  readonly #directory: string;

  /** @param directory empty, or ending in `/` */
  constructor(store: VirtualObjectStore, client: ServerClient, directory: string) {
    this.location = `virtual:/${directory}`;
    this.hasConditionalCreate = store.hasConditionalCreate;
    this.#store = store;
    this.#client = client;
    this.#directory = directory;
  }

  async put(
    name: string,
    chunks: readonly Uint8Array[],
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#check('put', name);
    const bytes = new Uint8Array(Buffer.concat(chunks));
    if (bytes.length > this.#store.partBytes) {
      return this.#upload(name, partsOf(bytes, this.#store.partBytes), options);
    }
    await this.#call('put', name, options, (object) => this.#store.put(object, bytes));
  }

  async putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#check('put', name);
    const source = new ChunkSource(chunks);
    await this.#upload(name, source.pieces(this.#store.partBytes), options);
  }

  async createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    this.#check('createIfAbsent', name);
    const bytes = data.slice();
    const call = <T>(effect: (object: string) => T): Promise<T> =>
      this.#call('createIfAbsent', name, options, effect);
    if (this.hasConditionalCreate) return call((object) => this.#store.create(object, bytes));
    if (await call((object) => this.#store.has(object))) return 'exists';
    await call((object) => this.#store.put(object, bytes));
    return 'created';
  }

  async get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    this.#check('get', name);
    return this.#call('get', name, options, (object) => this.#find('get', name, object));
  }

  async getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    this.#check('getRange', name);
    return this.#call('getRange', name, options, (object) =>
      this.#find('getRange', name, object).slice(offset, offset + length),
    );
  }

  /** Stands for a thread that blocks for the answer: the turn does not end before. */
  getRangeNow(name: string, offset: number, length: number): Uint8Array {
    this.#check('getRange', name);
    const bytes = this.#find('getRange', name, this.#directory + name);
    return bytes.slice(offset, offset + length);
  }

  async list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    return this.#call('list', prefix, options, (objects) =>
      this.#store.list(objects).map(({ name, sizeBytes }) => ({
        name: name.slice(this.#directory.length),
        sizeBytes,
      })),
    );
  }

  async delete(name: string, options?: StorageCallOptions): Promise<void> {
    this.#check('delete', name);
    await this.#call('delete', name, options, (object) => this.#store.delete(object));
  }

  /** Calls of up to 1 000 names; each call takes effect in one turn. */
  async deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    for (const name of names) this.#check('delete', name);
    for (let at = 0; at < names.length; at += BATCH_NAMES) {
      const batch = names.slice(at, at + BATCH_NAMES);
      await this.#call('delete', batch[0]!, options, () => {
        for (const name of batch) this.#store.delete(this.#directory + name);
      });
    }
  }

  async close(): Promise<void> {}

  // O2. Each part is a call of its own, and so is the end, which alone makes the object visible.
  async #upload(
    name: string,
    parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: StorageCallOptions | undefined,
  ): Promise<void> {
    const uploadId = await this.#call('put', name, options, () => this.#store.beginUpload());
    try {
      let index = 0;
      for await (const part of parts) {
        const at = index++;
        await this.#call('put', name, options, () => this.#store.uploadPart(uploadId, at, part));
      }
    } catch (error) {
      const abort = (): void => this.#store.abortUpload(uploadId);
      await this.#call('put', name, undefined, abort).catch(() => {});
      throw error;
    }
    await this.#call('put', name, options, (object) =>
      this.#store.completeUpload(uploadId, object),
    );
  }

  #find(operation: Operation, name: string, object: string): Uint8Array {
    const bytes = this.#store.read(object);
    if (bytes !== undefined) return bytes;
    const details = this.#details(operation, name);
    throw new StorageNotFoundError(`there is no object "${name}" in ${this.location}`, details);
  }

  #call<T>(
    operation: Operation,
    name: string,
    options: StorageCallOptions | undefined,
    effect: (object: string) => T,
  ): Promise<T> {
    const object = this.#directory + name;
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const call = this.#store.server.call(this.#client, {
      label: `${operation} ${object}`,
      effect: () => effect(object),
      errorOf: (failure) => this.#errorOf(failure, this.#details(operation, name)),
    });
    return signal === undefined ? call : unlessAborted(call, signal);
  }

  #errorOf(failure: ServerFailure, details: StorageErrorDetails): Error {
    const what = `could not ${details.operation} "${details.name}" in ${this.location}`;
    switch (failure) {
      case 'denied':
        return new StoragePermissionError(`${what}: permission denied`, details);
      case 'throttled':
        return new StorageThrottledError(`${what}: too many requests`, details);
      case 'unavailable':
        return new StorageUnavailableError(`${what}: service unavailable`, details);
      case 'timeout':
        return new StorageUnavailableError(`${what}: no answer, outcome unknown`, details);
    }
  }

  #check(operation: Operation, name: string): void {
    checkObjectName(this.#details(operation, name));
  }

  #details(operation: Operation, name: string): StorageErrorDetails {
    return { location: this.location, operation, name };
  }
}

function* partsOf(bytes: Uint8Array, partBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.slice(at, at + partBytes);
}

// What was sent may still be done: only the caller waits no longer.
function unlessAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    signal.addEventListener('abort', giveUp);
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
