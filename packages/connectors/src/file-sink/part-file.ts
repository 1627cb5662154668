import type { FileSystem, WritableFile } from '@millrace/core/connector';
import { fileErrorKind } from '../file-error-kind.ts';
import { FilePartLostError, writeError } from './file-sink-errors.ts';
import { finishedPath, inProgressPath, pendingPath, type StagedPart } from './part-name.ts';

const FIRST_BUFFER_BYTES = 8 * 1024;
const BUFFER_BYTES = 64 * 1024;
const COPY_BYTES = 1024 * 1024;
const NO_BUFFER = Buffer.alloc(0);

/** What the files of one writer share. */
export interface PartFileContext {
  readonly fileSystem: FileSystem;
  /** Of the sink, for messages. */
  readonly operatorUid: string;
  /** So many bytes more (or fewer) are on their way to the disk. */
  inFlight(bytes: number): void;
  /** Something failed; later calls of the writer report it. */
  failed(error: unknown): void;
}

/**
 * The file of one part: bytes are collected, written behind the caller's back in order, and made
 * durable on demand.
 *
 *   in progress (staging) --finish: sync, close, rename--> pending --(committer) rename--> finished
 */
export class PartFile {
  readonly part: StagedPart;
  readonly #context: PartFileContext;
  #sizeBytes = 0;
  #buffer: Buffer = NO_BUFFER;
  #used = 0;
  // Small again after every checkpoint: a sink can have thousands of parts that get little.
  #nextBufferBytes = FIRST_BUFFER_BYTES;
  // Work on the file, one after the other; rejected from the first failure on.
  #work: Promise<WritableFile>;
  #finished: Promise<void> | null = null;

  /** @param prefixOf a part of a dead attempt whose first `sizeBytes` this one begins with */
  constructor(context: PartFileContext, part: StagedPart, prefixOf: StagedPart | null) {
    this.part = part;
    this.#context = context;
    this.#sizeBytes = prefixOf?.sizeBytes ?? 0;
    this.#work = this.#create(prefixOf);
    this.#watch();
  }

  /** Bytes given so far, the prefix included. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Text goes out as UTF-8. @returns its length in bytes */
  write(data: string | Uint8Array): number {
    const bytes = typeof data === 'string' ? this.#writeText(data) : this.#writeBytes(data);
    this.#sizeBytes += bytes;
    return bytes;
  }

  /** Hands what is collected to the disk. */
  flush(): void {
    if (this.#used === 0) return;
    this.#send(this.#buffer.subarray(0, this.#used));
    this.#buffer = NO_BUFFER;
    this.#used = 0;
    this.#nextBufferBytes = FIRST_BUFFER_BYTES;
  }

  /** Resolves when all that was written before the call is durable. */
  sync(): Promise<void> {
    if (this.#finished !== null) return this.#finished;
    this.flush();
    return this.#do(async (file) => {
      await file.sync();
      return file;
    });
  }

  /** Closes the part: durable and pending afterwards, but its name is not yet synced. */
  finish(): Promise<void> {
    if (this.#finished !== null) return this.#finished;
    this.flush();
    this.#finished = this.#do(async (file) => {
      await file.sync();
      await file.close();
      await this.#context.fileSystem.rename(inProgressPath(this.part), pendingPath(this.part));
      return file;
    });
    return this.#finished;
  }

  /** Lets go of the file as it is. Never rejects. */
  async abandon(): Promise<void> {
    if (this.#finished !== null) return this.#finished.catch(() => {});
    await this.#work.then((file) => file.close()).catch(() => {});
  }

  #writeText(text: string): number {
    // No character takes more than three bytes of UTF-8 per unit of UTF-16.
    if (text.length * 3 > this.#buffer.length - this.#used) {
      const bytes = Buffer.byteLength(text);
      if (bytes > BUFFER_BYTES) return this.#writeBytes(Buffer.from(text));
      this.#reserve(bytes);
    }
    const bytes = this.#buffer.write(text, this.#used);
    this.#used += bytes;
    return bytes;
  }

  #writeBytes(data: Uint8Array): number {
    if (data.length > BUFFER_BYTES) {
      this.flush();
      this.#send(data.slice());
    } else {
      this.#reserve(data.length);
      this.#buffer.set(data, this.#used);
      this.#used += data.length;
    }
    return data.length;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length - this.#used) return;
    const size = Math.max(bytes, this.#nextBufferBytes);
    this.flush();
    this.#buffer = Buffer.allocUnsafeSlow(size);
    this.#nextBufferBytes = BUFFER_BYTES;
  }

  #send(data: Uint8Array): void {
    this.#context.inFlight(data.length);
    this.#work = this.#work.then(async (file) => {
      await file.write(data);
      this.#context.inFlight(-data.length);
      return file;
    });
    this.#watch();
  }

  #do(step: (file: WritableFile) => Promise<WritableFile>): Promise<void> {
    this.#work = this.#work.then(step);
    this.#watch();
    return this.#work.then(
      () => {},
      (error) => {
        throw this.#errorOf(error);
      },
    );
  }

  #watch(): void {
    this.#work.catch((error) => this.#context.failed(this.#errorOf(error)));
  }

  #errorOf(error: unknown): Error {
    return writeError(inProgressPath(this.part), error, this.#context.operatorUid);
  }

  async #create(prefixOf: StagedPart | null): Promise<WritableFile> {
    const { fileSystem } = this.#context;
    await fileSystem.makeDirectory(this.part.staging);
    const file = await fileSystem.create(inProgressPath(this.part), { exclusive: true });
    if (prefixOf !== null) await copyPrefix(fileSystem, prefixOf, file);
    return file;
  }
}

// The old file is not continued: its writer may be alive and still hold it. It only ever grows, so
// its beginning is the same wherever the part has got to in the meantime.
async function copyPrefix(
  fileSystem: FileSystem,
  part: StagedPart,
  target: WritableFile,
): Promise<void> {
  for (const path of [inProgressPath(part), pendingPath(part), finishedPath(part)]) {
    const stat = await fileSystem.stat(path);
    if (stat === null || stat.sizeBytes < part.sizeBytes) continue;
    const source = await fileSystem.openRead(path).catch((error) => {
      if (fileErrorKind(error) === 'not-found') return null; // renamed in between
      throw error;
    });
    if (source === null) continue;
    try {
      for (let at = 0; at < part.sizeBytes; ) {
        const chunk = await source.read(at, Math.min(COPY_BYTES, part.sizeBytes - at));
        if (chunk.length === 0) throw lost(part);
        await target.write(chunk);
        at += chunk.length;
      }
    } finally {
      await source.close();
    }
    return;
  }
  throw lost(part);
}

function lost(part: StagedPart): FilePartLostError {
  return new FilePartLostError(
    `the unfinished part ${part.name} is not there, or shorter than the checkpoint says`,
    { part: inProgressPath(part), sizeBytes: part.sizeBytes },
    { hint: 'Restore from a newer checkpoint, or put the file back.' },
  );
}
