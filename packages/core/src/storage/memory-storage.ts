import type { CheckpointStorage, StorageCallOptions, StoredObject } from './checkpoint-storage.ts';
import { checkObjectName, compareNames } from './object-name.ts';
import { type StorageErrorDetails, StorageNotFoundError } from './storage-errors.ts';

/**
 * Objects in memory: for tests and for jobs that need no restart of the process. Several instances
 * over one `objects` map see each other's objects.
 */
export class MemoryStorage implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate = true;
  readonly #objects: Map<string, Uint8Array>;

  constructor(objects: Map<string, Uint8Array> = new Map(), location = 'memory') {
    this.#objects = objects;
    this.location = location;
  }

  async put(
    name: string,
    chunks: readonly Uint8Array[],
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#begin('put', name, options);
    this.#objects.set(name, new Uint8Array(Buffer.concat(chunks)));
  }

  async putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#begin('put', name, options);
    const taken: Uint8Array[] = [];
    for await (const chunk of chunks) {
      options?.signal?.throwIfAborted();
      taken.push(chunk);
    }
    this.#objects.set(name, new Uint8Array(Buffer.concat(taken)));
  }

  async createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    this.#begin('createIfAbsent', name, options);
    if (this.#objects.has(name)) return 'exists';
    this.#objects.set(name, new Uint8Array(data));
    return 'created';
  }

  async get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    options?.signal?.throwIfAborted();
    return new Uint8Array(this.#find('get', name));
  }

  async getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    options?.signal?.throwIfAborted();
    return this.getRangeNow(name, offset, length);
  }

  getRangeNow(name: string, offset: number, length: number): Uint8Array {
    return this.#find('getRange', name).slice(offset, offset + length);
  }

  async list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    options?.signal?.throwIfAborted();
    const found: StoredObject[] = [];
    for (const [name, data] of this.#objects) {
      if (name.startsWith(prefix)) found.push({ name, sizeBytes: data.length });
    }
    return found.sort(compareNames);
  }

  async delete(name: string, options?: StorageCallOptions): Promise<void> {
    this.#begin('delete', name, options);
    this.#objects.delete(name);
  }

  async deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    for (const name of names) await this.delete(name, options);
  }

  async close(): Promise<void> {}

  #begin(
    operation: StorageErrorDetails['operation'],
    name: string,
    options: StorageCallOptions | undefined,
  ): void {
    checkObjectName(this.#details(operation, name));
    options?.signal?.throwIfAborted();
  }

  #find(operation: 'get' | 'getRange', name: string): Uint8Array {
    const details = this.#details(operation, name);
    checkObjectName(details);
    const data = this.#objects.get(name);
    if (data === undefined) {
      throw new StorageNotFoundError(`there is no object "${name}" in ${this.location}`, details);
    }
    return data;
  }

  #details(operation: StorageErrorDetails['operation'], name: string): StorageErrorDetails {
    return { location: this.location, operation, name };
  }
}
