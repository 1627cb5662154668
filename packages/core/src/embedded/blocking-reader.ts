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
// B1. One request at a time, so `state` and `data` belong to one side at a time.
// B2. Who waits gives up after WAIT_MS: the thread is ended, the next request starts another.

/** States of the hand-over; index 0 of `control`. Index 1 is the length of what is in `data`. */
export const ASKED = 0;
export const DONE = 1;
export const MISSING = 2;
export const FAILED = 3;

/** The most that is handed over at a time; larger reads go in pieces. */
const PIECE_BYTES = 1 << 20;
/** A driver gives up by itself long before: its calls have time-outs. */
const WAIT_MS = 300_000;

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

/** Reads a remote storage at once, by blocking until another thread has done it. */
export class BlockingReader {
  readonly #opener: StorageOpener;
  readonly #location: string;
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #data = new Uint8Array(new SharedArrayBuffer(PIECE_BYTES));
  #worker: Worker | null = null;

  /** @param location of the storage, for messages */
  constructor(opener: StorageOpener, location: string) {
    this.#opener = opener;
    this.#location = location;
  }

  /**
   * Bytes `offset` to `offset + length`, fewer if the object ends before.
   *
   * @throws StorageNotFoundError StorageUnavailableError
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

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  #piece(name: string, offset: number, length: number): Uint8Array {
    const worker = this.#thread();
    Atomics.store(this.#control, 0, ASKED);
    worker.postMessage({ name, offset, length } satisfies ReadRequest);
    const waited = Atomics.wait(this.#control, 0, ASKED, WAIT_MS);
    const bytes = this.#data.slice(0, Atomics.load(this.#control, 1));
    if (waited === 'timed-out') {
      void this.close(); // B2
      this.#fail(name, StorageUnavailableError, `no answer within ${WAIT_MS / 1_000} s`);
    }
    const state = Atomics.load(this.#control, 0);
    if (state === DONE) return bytes;
    const reason = Buffer.from(bytes).toString('utf8');
    return this.#fail(
      name,
      state === MISSING ? StorageNotFoundError : StorageUnavailableError,
      reason,
    );
  }

  #thread(): Worker {
    if (this.#worker !== null) return this.#worker;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const setup: ReaderSetup = {
      opener: this.#opener,
      control: this.#control.buffer as SharedArrayBuffer,
      data: this.#data.buffer as SharedArrayBuffer,
    };
    const module = new URL(`./blocking-reader-thread.${extension}`, import.meta.url);
    const worker = new Worker(module, { workerData: setup });
    worker.unref();
    worker.on('error', () => this.#forget(worker));
    worker.on('exit', () => this.#forget(worker));
    this.#worker = worker;
    return worker;
  }

  #forget(worker: Worker): void {
    if (this.#worker === worker) this.#worker = null;
  }

  #fail(
    name: string,
    kind: typeof StorageNotFoundError | typeof StorageUnavailableError,
    reason: string,
  ): never {
    const details: StorageErrorDetails = { location: this.#location, operation: 'getRange', name };
    throw new kind(`${failedCall(details)}: ${reason}`, details);
  }
}
