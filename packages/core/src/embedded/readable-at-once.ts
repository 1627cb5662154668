import type {
  CheckpointStorage,
  StorageCallOptions,
  StorageOpener,
  StoredObject,
} from '../storage/checkpoint-storage.ts';
import { BlockingReader } from './blocking-reader.ts';

/**
 * The same storage with `getRangeNow`, so that state is read when it is touched. A driver that
 * cannot block by itself is read by a thread that opens it once more (started at the first such
 * read); one that another thread cannot open stays as it is.
 */
export function readableAtOnce(storage: CheckpointStorage): CheckpointStorage {
  if (storage.getRangeNow !== undefined || storage.opener === undefined) return storage;
  return new ReadableAtOnce(storage, storage.opener);
}

class ReadableAtOnce implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate: boolean;
  readonly #inner: CheckpointStorage;
  readonly #reader: BlockingReader;

  constructor(inner: CheckpointStorage, opener: StorageOpener) {
    this.location = inner.location;
    this.hasConditionalCreate = inner.hasConditionalCreate;
    this.#inner = inner;
    this.#reader = new BlockingReader(opener, inner.location);
    if (inner.removeLeftovers !== undefined) {
      this.removeLeftovers = (options) => inner.removeLeftovers!(options);
    }
  }

  readonly removeLeftovers?: (options?: StorageCallOptions) => Promise<void>;

  put(name: string, chunks: readonly Uint8Array[], options?: StorageCallOptions): Promise<void> {
    return this.#inner.put(name, chunks, options);
  }

  putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    return this.#inner.putStream(name, chunks, options);
  }

  createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    return this.#inner.createIfAbsent(name, data, options);
  }

  get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    return this.#inner.get(name, options);
  }

  getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    return this.#inner.getRange(name, offset, length, options);
  }

  getRangeNow(name: string, offset: number, length: number): Uint8Array {
    return this.#reader.read(name, offset, length);
  }

  list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    return this.#inner.list(prefix, options);
  }

  delete(name: string, options?: StorageCallOptions): Promise<void> {
    return this.#inner.delete(name, options);
  }

  deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    return this.#inner.deleteAll(names, options);
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#inner.close();
  }
}
