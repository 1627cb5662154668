import { Worker } from 'node:worker_threads';
import type { StorageOpener } from '../storage/checkpoint-storage.ts';
import {
  failedCall,
  type StorageErrorDetails,
  StorageNotFoundError,
  StorageUnavailableError,
} from '../storage/storage-errors.ts';

// A thread that reads while this one waits for it.
//
//   this thread                       reader thread
//   state = ASKED, postMessage ---->  getRange (its own client)
//   Atomics.wait(state)               bytes into `data`, length, state = DONE | MISSING | FAILED
//   copies the bytes   <--- notify
//
// B1. One request at a time, so `control` and `data` belong to one side at a time.
// B2. Who waits gives up after `waitMs`: the thread is ended, and the next request starts another
//     one with memory of its own, which a late answer cannot reach.
// B3. A thread that ends while it is waited for is noticed by B2 only: nobody else is running.

/** States of the hand-over; index 0 of `control`. Index 1 is the length of what is in `data`. */
export const ASKED = 0;
export const DONE = 1;
export const MISSING = 2;
export const FAILED = 3;

/** The most that is handed over at a time; larger reads go in pieces. */
const PIECE_BYTES = 1 << 20;
/** A driver gives up by itself long before: its calls have time-outs, 30 s by default. */
const WAIT_MS = 120_000;

/** What the reader thread begins with; see blocking-reader-thread.ts. */
export interface ReaderSetup {
  readonly opener: StorageOpener;
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** What it is asked. */
export interface ReadRequest {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

interface ReaderThread {
  readonly worker: Worker;
  readonly control: Int32Array;
  readonly data: Uint8Array;
}

/** Reads a remote storage at once, by blocking until another thread has done it. */
export class BlockingReader {
  readonly #opener: StorageOpener;
  readonly #location: string;
  readonly #waitMs: number;
  #thread: ReaderThread | null = null;

  /** @param location of the storage, for messages */
  constructor(opener: StorageOpener, location: string, waitMs = WAIT_MS) {
    this.#opener = opener;
    this.#location = location;
    this.#waitMs = waitMs;
  }

  /**
   * Bytes `offset` to `offset + length`, fewer if the object ends before.
   *
   * @throws StorageNotFoundError; StorageUnavailableError whatever else it was, with the reason
   *
   * Cost: a round trip per MiB, during which this thread does nothing; the first one also the
   * start of a thread, about 100 ms.
   */
  read(name: string, offset: number, length: number): Uint8Array {
    if (length <= PIECE_BYTES) return this.#piece(name, offset, length);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const wanted = Math.min(PIECE_BYTES, length - at);
      const piece = this.#piece(name, offset + at, wanted);
      pieces.push(piece);
      if (piece.length < wanted) break;
    }
    return Buffer.concat(pieces);
  }

  /** Ends the thread; a later read would start another one. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.worker.terminate();
  }

  #piece(name: string, offset: number, length: number): Uint8Array {
    this.#thread ??= this.#start();
    const { worker, control, data } = this.#thread;
    Atomics.store(control, 0, ASKED);
    worker.postMessage({ name, offset, length } satisfies ReadRequest);
    if (Atomics.wait(control, 0, ASKED, this.#waitMs) === 'timed-out') {
      void this.close(); // B2
      throw new StorageUnavailableError(...this.#failure(name, 'no answer from its thread'));
    }
    const bytes = data.slice(0, Atomics.load(control, 1));
    const state = Atomics.load(control, 0);
    if (state === DONE) return bytes;
    const failure = this.#failure(name, Buffer.from(bytes).toString('utf8'));
    if (state === MISSING) throw new StorageNotFoundError(...failure);
    throw new StorageUnavailableError(...failure);
  }

  #start(): ReaderThread {
    const control = new SharedArrayBuffer(8);
    const data = new SharedArrayBuffer(PIECE_BYTES);
    // The same extension as this module: .ts in the sources, .js in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const module = new URL(`./blocking-reader-thread.${extension}`, import.meta.url);
    const workerData: ReaderSetup = { opener: this.#opener, control, data };
    const worker = new Worker(module, { workerData });
    worker.unref();
    const forget = (): void => {
      if (this.#thread?.worker === worker) this.#thread = null;
    };
    worker.on('error', forget);
    worker.on('exit', forget);
    return { worker, control: new Int32Array(control), data: new Uint8Array(data) };
  }

  #failure(name: string, reason: string): [string, StorageErrorDetails] {
    const details: StorageErrorDetails = { location: this.#location, operation: 'getRange', name };
    return [`${failedCall(details)}: ${reason}`, details];
  }
}
