import {
  checkObjectName,
  type CheckpointStorage,
  type StorageErrorDetails,
  StorageNotFoundError,
  StoragePermissionError,
  StorageUnavailableError,
  type StoredObject,
} from '@millrace/core/storage';
import type { ServerFailure } from './server-faults.ts';
import type { VirtualObjectStore } from './virtual-object-store.ts';
import type { ServerClient } from './virtual-server.ts';

type Operation = StorageErrorDetails['operation'];

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

  async put(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    this.#check('put', name);
    const bytes = new Uint8Array(Buffer.concat(chunks));
    if (bytes.length > this.#store.partBytes) return this.#upload(name, bytes);
    await this.#call('put', name, (object) => this.#store.put(object, bytes));
  }

  async createIfAbsent(name: string, data: Uint8Array): Promise<'created' | 'exists'> {
    this.#check('createIfAbsent', name);
    const bytes = data.slice();
    if (this.hasConditionalCreate) {
      return this.#call('createIfAbsent', name, (object) => this.#store.create(object, bytes));
    }
    const exists = await this.#call('createIfAbsent', name, (object) => this.#store.has(object));
    if (exists) return 'exists';
    await this.#call('createIfAbsent', name, (object) => this.#store.put(object, bytes));
    return 'created';
  }

  async get(name: string): Promise<Uint8Array> {
    this.#check('get', name);
    return this.#call('get', name, (object) => this.#find('get', name, object));
  }

  async getRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    this.#check('getRange', name);
    return this.#call('getRange', name, (object) =>
      this.#find('getRange', name, object).slice(offset, offset + length),
    );
  }

  /** Stands for a thread that blocks for the answer: the turn does not end before. */
  getRangeNow(name: string, offset: number, length: number): Uint8Array {
    this.#check('getRange', name);
    const bytes = this.#find('getRange', name, this.#directory + name);
    return bytes.slice(offset, offset + length);
  }

  async list(prefix: string): Promise<StoredObject[]> {
    return this.#call('list', prefix, (objects) =>
      this.#store.list(objects).map(({ name, sizeBytes }) => ({
        name: name.slice(this.#directory.length),
        sizeBytes,
      })),
    );
  }

  async delete(name: string): Promise<void> {
    this.#check('delete', name);
    await this.#call('delete', name, (object) => this.#store.delete(object));
  }

  async close(): Promise<void> {}

  // O2. Each part is a call of its own, and so is the end, which alone makes the object visible.
  async #upload(name: string, bytes: Uint8Array): Promise<void> {
    const { partBytes } = this.#store;
    const uploadId = await this.#call('put', name, () => this.#store.beginUpload());
    try {
      for (let index = 0; index * partBytes < bytes.length; index++) {
        const part = bytes.slice(index * partBytes, (index + 1) * partBytes);
        await this.#call('put', name, () => this.#store.uploadPart(uploadId, index, part));
      }
    } catch (error) {
      await this.#call('put', name, () => this.#store.abortUpload(uploadId)).catch(() => {});
      throw error;
    }
    await this.#call('put', name, (object) => this.#store.completeUpload(uploadId, object));
  }

  #find(operation: Operation, name: string, object: string): Uint8Array {
    const bytes = this.#store.read(object);
    if (bytes !== undefined) return bytes;
    const details = this.#details(operation, name);
    throw new StorageNotFoundError(`there is no object "${name}" in ${this.location}`, details);
  }

  #call<T>(operation: Operation, name: string, effect: (object: string) => T): Promise<T> {
    const object = this.#directory + name;
    return this.#store.server.call(this.#client, {
      label: `${operation} ${object}`,
      effect: () => effect(object),
      errorOf: (failure) => this.#errorOf(failure, this.#details(operation, name)),
    });
  }

  #errorOf(failure: ServerFailure, details: StorageErrorDetails): Error {
    const what = `could not ${details.operation} "${details.name}" in ${this.location}`;
    switch (failure) {
      case 'denied':
        return new StoragePermissionError(`${what}: permission denied`, details);
      case 'throttled':
        return new StorageUnavailableError(`${what}: too many requests`, details);
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
