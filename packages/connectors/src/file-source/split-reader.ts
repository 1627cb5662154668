import {
  Batch,
  type DeadLetter,
  type FileSystem,
  messageOf,
  NO_TIMESTAMP,
  type SourceBatch,
  StreamError,
} from '@millrace/core/connector';
import { type FileSplit, placeOf } from './file-split.ts';
import { LineTooLongError, MalformedRecordError, readError } from './file-source-errors.ts';
import type { Format } from './format.ts';
import { FrameCutter } from './frame-cutter.ts';
import { type ContentOptions, openSplit, type SplitContent } from './split-content.ts';

/** What to do with a record that cannot be read. */
export type OnMalformed = 'fail' | 'skip' | 'dead-letter';

/** What the reader of a split needs to know. */
export interface SplitReaderOptions<T> extends ContentOptions {
  readonly fileSystem: FileSystem;
  readonly format: Format<T>;
  readonly onMalformed: OnMalformed;
  readonly readAheadBytes: number;
  /** There is something new: bytes, the end, or a failure. */
  onProgress(): void;
  onSkipped(): void;
}

/**
 * Reads one split: chunks are fetched ahead, asynchronously and up to a limit; records are cut and
 * decoded when they are asked for, synchronously.
 *
 * S1. `position` is behind the last record that was given out, not behind what was fetched.
 * S2. A failure is reported after the records before it.
 */
export class SplitReader<T> {
  readonly #options: SplitReaderOptions<T>;
  readonly #split: FileSplit;
  #content: SplitContent | null = null;
  #cutter: FrameCutter | null = null;
  #decode: ((text: string) => T) | null = null;
  readonly #chunks: Uint8Array[] = [];
  #aheadBytes = 0;
  #started = false;
  #fetched = false;
  #failure: unknown = null;
  #drained = false;
  #closed = false;
  #room: () => void = () => {};
  #fetching: Promise<void> = Promise.resolve();

  constructor(split: FileSplit, options: SplitReaderOptions<T>) {
    this.#split = split;
    this.#options = options;
  }

  get splitId(): string {
    return this.#split.splitId;
  }

  /** Everything is in memory: the next split may be fetched. */
  get isFetched(): boolean {
    return this.#fetched;
  }

  /** All records have been given out. */
  get isDone(): boolean {
    return this.#drained;
  }

  /** Begins to fetch. Harmless when it has begun. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#fetching = this.#fetch().catch((error) => {
      this.#failure = readError(this.#split.path, error);
      this.#options.onProgress();
    });
  }

  /** The split from the next record on. */
  position(): FileSplit {
    if (this.#cutter === null) return this.#split;
    return {
      ...this.#split,
      offset: this.#cutter.offset,
      line: this.#cutter.line,
      aligned: true,
    };
  }

  /**
   * Up to `maxRecords` records. @returns null: nothing there now
   *
   * @throws MalformedRecordError, LineTooLongError, and what fetching came to
   */
  poll(maxRecords: number): SourceBatch | null {
    const batch = new Batch(maxRecords);
    const lines: number[] = [];
    const deadLetters: DeadLetter[] = [];
    let left = maxRecords;
    while (left > 0 && this.#nextFrame()) {
      left--;
      this.#decodeInto(batch, lines, deadLetters);
    }
    if (left > 0 && this.#failure !== null && left === maxRecords) throw this.#failure;
    if (left === maxRecords) return null;
    batch.origin = { describe: (index) => placeOf(this.#split, lines[index] ?? 0) };
    const { splitId } = this;
    return deadLetters.length === 0 ? { splitId, batch } : { splitId, batch, deadLetters };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#room();
    await this.#fetching;
  }

  #decodeInto(batch: Batch, lines: number[], deadLetters: DeadLetter[]): void {
    const cutter = this.#cutter!;
    const text = cutter.text();
    let value: T;
    try {
      if (!cutter.isText()) throw new TypeError('the text is not UTF-8');
      value = this.#decode!(text);
    } catch (error) {
      // Typed errors speak of the format, not of the record.
      if (error instanceof StreamError) throw error;
      this.#onMalformed(text, error, deadLetters);
      return;
    }
    lines[batch.size] = cutter.frameLine;
    batch.push(value, NO_TIMESTAMP);
  }

  #onMalformed(raw: string, cause: unknown, deadLetters: DeadLetter[]): void {
    const { onMalformed, onSkipped } = this.#options;
    const cutter = this.#cutter!;
    const origin = placeOf(this.#split, cutter.frameLine);
    if (onMalformed === 'skip') onSkipped();
    else if (onMalformed === 'dead-letter') {
      deadLetters.push({ raw, error: messageOf(cause), origin });
    } else {
      throw this.#malformed(origin, cutter.frameLine, cutter.frameOffset, cause);
    }
  }

  #malformed(origin: string, line: number, offset: number, cause: unknown): MalformedRecordError {
    return new MalformedRecordError(
      `${origin} (byte ${offset}) is no ${this.#options.format.name} record: ${messageOf(cause)}`,
      { path: this.#split.path, line, offset },
      { cause, hint: "Mend the file, or set onMalformed to 'skip' or 'dead-letter'." },
    );
  }

  #nextFrame(): boolean {
    if (this.#content === null || this.#drained) return false;
    this.#cutter ??= this.#openCutter(this.#content);
    const cutter = this.#cutter;
    try {
      while (!cutter.next()) {
        const chunk = this.#chunks.shift();
        if (chunk === undefined) {
          if (!this.#fetched) return false;
          this.#drained = true;
          return false;
        }
        this.#aheadBytes -= chunk.length;
        this.#room();
        cutter.push(chunk, this.#fetched && this.#chunks.length === 0);
      }
      return true;
    } catch (error) {
      throw this.#tooLong(cutter, error);
    }
  }

  #openCutter(content: SplitContent): FrameCutter {
    const { format, maxRecordBytes } = this.#options;
    try {
      this.#decode = format.createDecoder(content.header);
    } catch (error) {
      if (error instanceof StreamError) throw error;
      throw this.#malformed(placeOf({ ...this.#split, start: 0 }, 1), 1, 0, error);
    }
    const { offset, line } = content;
    return new FrameCutter({ framing: format.framing, offset, line, maxRecordBytes });
  }

  #tooLong(cutter: FrameCutter, error: unknown): unknown {
    if (!(error instanceof RangeError)) return error;
    const { maxRecordBytes } = this.#options;
    return new LineTooLongError(
      `${placeOf(this.#split, cutter.line)} (byte ${cutter.offset}) begins a record of more than ` +
        `${maxRecordBytes} bytes`,
      { path: this.#split.path, offset: cutter.offset },
      { hint: 'Raise maxRecordBytes; or a quote is missing, or this is not the format.' },
    );
  }

  async #fetch(): Promise<void> {
    const { fileSystem, readAheadBytes, onProgress } = this.#options;
    const content = await openSplit(fileSystem, this.#split, this.#options);
    try {
      this.#content = content;
      for await (const chunk of content.chunks) {
        if (this.#closed) return;
        this.#chunks.push(chunk);
        this.#aheadBytes += chunk.length;
        onProgress();
        while (this.#aheadBytes >= readAheadBytes && !this.#closed) {
          await new Promise<void>((resolve) => {
            this.#room = resolve;
          });
        }
      }
      await content.verify();
      // The cutter may hold a record without a line break: an empty chunk tells it the end.
      this.#chunks.push(new Uint8Array(0));
      this.#fetched = true;
      onProgress();
    } finally {
      await content.close();
    }
  }
}
