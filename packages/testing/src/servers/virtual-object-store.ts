import type { Random } from '@millrace/core/host';
import { type CheckpointStorage, compareNames, type StoredObject } from '@millrace/core/storage';
import { ObjectStoreClient } from './object-store-client.ts';
import { type ServerClient, VirtualServer, type VirtualServerOptions } from './virtual-server.ts';

/** How an object store is. */
export interface VirtualObjectStoreOptions extends VirtualServerOptions {
  /**
   * Default true. False: a store that cannot create conditionally; its clients look first and then
   * put, so that two of them may both believe that they won.
   */
  readonly hasConditionalCreate?: boolean;
  /** Objects above this size are uploaded in parts. Default 65 536. */
  readonly partBytes?: number;
}

/**
 * An object store in virtual time, for several simulated processes and machines; it outlives them.
 *
 *   storage(environment) --calls, `server`: latency and faults--> objects
 *
 * O1. Strongly consistent: an effect is seen by every call that takes effect after it.
 * O2. An object is there as a whole or not at all; an upload that was not completed is never seen.
 * O3. One winner: of several conditional creations of one name the first effect creates it.
 * O4. Bytes change only by `rot`, or in what `rotOnRead` hands out.
 */
export class VirtualObjectStore {
  /** Faults, delays, time. */
  readonly server: VirtualServer;
  readonly hasConditionalCreate: boolean;
  readonly partBytes: number;
  /** Probability that a read gives bytes with one bit flipped. Default 0. */
  rotOnRead = 0;
  /** Names that were put a second time, with other bytes: nobody may do that. */
  readonly overwritten: string[] = [];
  readonly #random: Random;
  readonly #objects = new Map<string, Uint8Array>();
  readonly #uploads = new Map<number, Uint8Array[]>();
  #lastUploadId = 0;

  constructor(options: VirtualObjectStoreOptions) {
    this.server = new VirtualServer(options);
    this.hasConditionalCreate = options.hasConditionalCreate ?? true;
    this.partBytes = options.partBytes ?? 65_536;
    this.#random = options.random;
  }

  /**
   * What a process reaches the store by; for the option `storage` of `run`.
   *
   * @param directory the names of the client's objects begin with it; default: none
   */
  storage(client: ServerClient, directory = ''): CheckpointStorage {
    return new ObjectStoreClient(this, client, directory === '' ? '' : `${directory}/`);
  }

  /** Uploads begun and not completed: what dead processes leave behind. */
  get openUploads(): number {
    return this.#uploads.size;
  }

  /** Flips one bit of an object at rest. Nothing happens if it is empty or not there. */
  rot(name: string, byteOffset: number, bit = 0): void {
    const bytes = this.#objects.get(name);
    if (bytes !== undefined && byteOffset < bytes.length) bytes[byteOffset]! ^= 1 << bit;
  }

  // What follows is the server's side of the calls: it takes no time and never fails.

  /** A copy of an object's bytes. */
  read(name: string): Uint8Array | undefined {
    const bytes = this.#objects.get(name)?.slice();
    // Drawn only where it matters: who looks at the store from outside must not change history.
    const mayRot = this.rotOnRead > 0 && bytes !== undefined && bytes.length > 0;
    if (mayRot && this.#random.next() < this.rotOnRead) {
      bytes[Math.floor(this.#random.next() * bytes.length)]! ^= 1;
    }
    return bytes;
  }

  has(name: string): boolean {
    return this.#objects.has(name);
  }

  /** In order of name. */
  list(prefix: string): StoredObject[] {
    return [...this.#objects]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, bytes]) => ({ name, sizeBytes: bytes.length }))
      .sort(compareNames);
  }

  put(name: string, bytes: Uint8Array): void {
    const before = this.#objects.get(name);
    if (before !== undefined && !isEqual(before, bytes)) this.overwritten.push(name);
    this.#objects.set(name, bytes);
  }

  create(name: string, bytes: Uint8Array): 'created' | 'exists' {
    if (this.#objects.has(name)) return 'exists';
    this.#objects.set(name, bytes);
    return 'created';
  }

  delete(name: string): void {
    this.#objects.delete(name);
  }

  /** @returns the id of a new upload */
  beginUpload(): number {
    this.#uploads.set(++this.#lastUploadId, []);
    return this.#lastUploadId;
  }

  uploadPart(uploadId: number, index: number, bytes: Uint8Array): void {
    const parts = this.#uploads.get(uploadId);
    if (parts !== undefined) parts[index] = bytes; // else: a part that came after the completion
  }

  completeUpload(uploadId: number, name: string): void {
    const parts = this.#uploads.get(uploadId);
    if (parts === undefined) return;
    this.#uploads.delete(uploadId);
    this.put(name, new Uint8Array(Buffer.concat(parts)));
  }

  abortUpload(uploadId: number): void {
    this.#uploads.delete(uploadId);
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
