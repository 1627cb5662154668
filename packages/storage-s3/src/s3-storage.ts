import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  type CheckpointStorage,
  ChunkSource,
  compareNames,
  type StorageCallOptions,
  type StorageOpener,
  type StoredObject,
} from '@millrace/core/storage';
import { createObject, type CreationMode } from './create-object.ts';
import { deleteObjects, deleteOne, DeletionMode } from './delete-objects.ts';
import { uploadInParts } from './multipart-upload.ts';
import { readBody } from './read-body.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import type { S3Calls } from './s3-calls.ts';
import { failureOf } from './s3-errors.ts';
import { untilAborted } from './until-aborted.ts';

/** What a storage is made of; see `openS3Storage`. */
export interface S3StorageParts {
  readonly calls: S3Calls;
  readonly creation: CreationMode;
  readonly partBytes: number;
  readonly partsInFlight: number;
  readonly hasConditionalCreate: boolean;
  readonly opener: StorageOpener | undefined;
}

/** Checkpoints in a bucket of anything that speaks S3. Opened by `openS3Storage`. */
export class S3Storage implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate: boolean;
  readonly opener?: StorageOpener;
  readonly #calls: S3Calls;
  readonly #parts: S3StorageParts;
  readonly #deletion = new DeletionMode();
  readonly #background = new Set<Promise<void>>();

  constructor(parts: S3StorageParts) {
    this.#parts = parts;
    this.#calls = parts.calls;
    this.location = parts.calls.location;
    this.hasConditionalCreate = parts.hasConditionalCreate;
    if (parts.opener !== undefined) this.opener = parts.opener;
  }

  async put(
    name: string,
    chunks: readonly Uint8Array[],
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#calls.check('put', name);
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (sizeBytes <= this.#parts.partBytes) {
      await this.#putAtOnce(name, Buffer.concat(chunks, sizeBytes), options);
    } else {
      await this.#upload(name, new ChunkSource(eachOf(chunks)), options);
    }
  }

  async putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#calls.check('put', name);
    const source = new ChunkSource(chunks);
    try {
      await this.#upload(name, source, options);
    } catch (error) {
      throw source.failure === null ? error : source.failure.error;
    }
  }

  createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    return createObject(this.#calls, name, data, this.#parts.creation, options?.signal);
  }

  async get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    this.#calls.check('get', name);
    return this.#calls.send(
      'get',
      name,
      { signal: options?.signal },
      async (client, sending, attempt) => {
        const command = new GetObjectCommand(this.#calls.object(name));
        return readBody(await client.send(command, sending), attempt);
      },
    );
  }

  async getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    this.#calls.check('getRange', name);
    const call = { signal: options?.signal };
    if (length === 0) {
      const command = new HeadObjectCommand(this.#calls.object(name));
      await this.#calls.send('getRange', name, call, (client, sending) =>
        client.send(command, sending),
      );
      return new Uint8Array();
    }
    const last = Math.min(Number.MAX_SAFE_INTEGER, offset + length - 1);
    const range = { ...this.#calls.object(name), Range: `bytes=${offset}-${last}` };
    return this.#calls.send('getRange', name, call, async (client, sending, attempt) => {
      try {
        const answer = await client.send(new GetObjectCommand(range), sending);
        const bytes = await readBody(answer, attempt);
        // Some stores answer with the whole object, for example if it is empty.
        return answer.ContentRange === undefined ? bytes.slice(offset, offset + length) : bytes;
      } catch (error) {
        if (failureOf(error).status === 416) return new Uint8Array(); // it ends before `offset`
        throw error;
      }
    });
  }

  async list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    const { bucket, directory } = this.#calls;
    const found: StoredObject[] = [];
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: directory + prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.#calls.send(
        'list',
        prefix,
        { signal: options?.signal },
        (client, sending) => client.send(command, sending),
      );
      for (const { Key, Size } of page.Contents ?? []) {
        // Consoles make "directories": objects whose name ends in `/`.
        if (Key === undefined || Key.endsWith('/')) continue;
        found.push({ name: Key.slice(directory.length), sizeBytes: Size ?? 0 });
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return found.sort(compareNames);
  }

  delete(name: string, options?: StorageCallOptions): Promise<void> {
    return deleteOne(this.#calls, name, options?.signal);
  }

  deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    return deleteObjects(this.#calls, names, this.#deletion, options?.signal);
  }

  /** Aborts uploads that nobody completed, and removes objects of probes. */
  removeLeftovers(options?: StorageCallOptions): Promise<void> {
    return removeLeftovers(this, this.#calls, options?.signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#background);
    this.#calls.close();
  }

  // What fits into one part is put at once, which needs one request instead of three.
  async #upload(
    name: string,
    source: ChunkSource,
    options: StorageCallOptions | undefined,
  ): Promise<void> {
    const pieces = untilAborted(source.pieces(this.#parts.partBytes), options?.signal);
    const first = await pieces.next();
    if (first.done === true) return this.#putAtOnce(name, new Uint8Array(), options);
    if (first.value.length < this.#parts.partBytes) {
      await pieces.next(); // the end, or the error, of the source
      return this.#putAtOnce(name, first.value, options);
    }
    await uploadInParts(this.#calls, name, joined(first.value, pieces), {
      partsInFlight: this.#parts.partsInFlight,
      signal: options?.signal,
      inBackground: (work) => {
        const done = work.finally(() => this.#background.delete(done));
        this.#background.add(done);
      },
    });
  }

  async #putAtOnce(
    name: string,
    bytes: Uint8Array,
    options: StorageCallOptions | undefined,
  ): Promise<void> {
    const command = new PutObjectCommand({ ...this.#calls.object(name), Body: bytes });
    const call = { signal: options?.signal, sentBytes: bytes.length };
    await this.#calls.send('put', name, call, (client, sending) => client.send(command, sending));
  }
}

async function* eachOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* joined(
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
