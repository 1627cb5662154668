import {
  Batch,
  type Cancel,
  type CheckpointId,
  NO_TIMESTAMP,
  type ReaderContext,
  type SourceBatch,
  type SourceReader,
  type SourceSplit,
  StreamError,
} from '@millrace/core/connector';
import { connect, type Socket } from 'node:net';
import { FrameCutter } from '../file-source/frame-cutter.ts';
import { LineTooLongError } from '../file-source/file-source-errors.ts';
import { type Backoff, backoffMs } from './backoff.ts';

/** The one split of a socket; it has no position. */
export type SocketSplit = SourceSplit;

/** What the reader needs to know. */
export interface TextReaderOptions {
  readonly host: string;
  readonly port: number;
  readonly backoff: Backoff;
  readonly maxLineBytes: number;
  readonly onClose: 'reconnect' | 'end';
}

/** There was no connection, and the source was told not to try again. */
export class SocketConnectError extends StreamError<{ host: string; port: number }> {
  static override readonly code = 'SOCKET_CONNECT_FAILED';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Reads lines from a TCP connection, and connects again when it breaks.
 *
 * What has been received and not polled is bounded: the socket is paused, and the sender waits.
 */
export class TextReader implements SourceReader<string, SocketSplit> {
  readonly #context: ReaderContext;
  readonly #options: TextReaderOptions;
  #splits: SocketSplit[] = [];
  #finished: string[] = [];
  #noMore = false;
  #socket: Socket | null = null;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  readonly #cutter: FrameCutter;
  #failures = 0;
  #hasConnected = false;
  #hasEnded = false;
  #failure: SocketConnectError | null = null;
  #isClosed = false;
  #cancel: Cancel = () => {};
  #hasNews = false;
  #resolve: () => void = () => {};

  constructor(context: ReaderContext, options: TextReaderOptions) {
    this.#context = context;
    this.#options = options;
    const { maxLineBytes: maxRecordBytes } = options;
    this.#cutter = new FrameCutter({ framing: 'lines', offset: 0, line: 1, maxRecordBytes });
  }

  poll(maxRecords: number): SourceBatch | 'wait' | 'end' {
    this.#hasNews = false;
    if (this.#failure !== null) throw this.#failure;
    const split = this.#splits[0];
    if (split === undefined) return this.#noMore ? 'end' : 'wait';
    const batch = new Batch(maxRecords);
    while (batch.size < maxRecords && this.#nextLine()) {
      batch.push(this.#cutter.text(), NO_TIMESTAMP);
    }
    if (batch.size > 0) return { splitId: split.splitId, batch };
    if (!this.#hasEnded) return 'wait';
    this.#finished.push(split.splitId);
    this.#splits = [];
    this.#context.requestSplits();
    return this.#noMore ? 'end' : 'wait';
  }

  available(): Promise<void> {
    if (this.#hasNews) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  addSplits(splits: readonly SocketSplit[]): void {
    this.#splits.push(...splits);
    this.#connect();
    this.#wake();
  }

  noMoreSplits(): void {
    this.#noMore = true;
    this.#wake();
  }

  snapshot(_checkpointId: CheckpointId): SocketSplit[] {
    return [...this.#splits];
  }

  finishedSplits(): readonly string[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.#socket?.destroy();
    this.#wake();
  }

  #nextLine(): boolean {
    try {
      while (!this.#cutter.next()) {
        const chunk = this.#chunks.shift();
        if (chunk === undefined) return false;
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes < MAX_WAITING_BYTES / 2) this.#socket?.resume();
        // An empty chunk is the end of a connection: what was cut off by it is a line.
        this.#cutter.push(chunk, chunk.length === 0);
      }
      return true;
    } catch (cause) {
      const { host, port, maxLineBytes } = this.#options;
      throw new LineTooLongError(
        `${host}:${port} sent a line of more than ${maxLineBytes} bytes`,
        { path: `${host}:${port}`, offset: this.#cutter.offset },
        { cause, hint: 'Raise maxLineBytes.' },
      );
    }
  }

  #connect(): void {
    if (this.#isClosed) return;
    const { host, port } = this.#options;
    const socket = connect({ host, port });
    this.#socket = socket;
    let reason = 'closed by the other side';
    socket.on('connect', () => {
      this.#failures = 0;
      this.#hasConnected = true;
    });
    socket.on('data', (chunk) => this.#onData(socket, chunk));
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => this.#onClose(reason));
  }

  #onData(socket: Socket, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= MAX_WAITING_BYTES) socket.pause();
    this.#wake();
  }

  #onClose(reason: string): void {
    if (this.#isClosed) return;
    const { host, port, backoff, onClose } = this.#options;
    const { scheduler, logger } = this.#context.environment;
    this.#chunks.push(Buffer.alloc(0));
    if (onClose === 'end') {
      this.#hasEnded = true;
      if (!this.#hasConnected) this.#failure = notConnected(host, port, reason);
    } else {
      const delayMs = backoffMs(backoff, this.#failures++);
      logger.log('warn', `lost ${host}:${port}: ${reason}`, { reconnectInMs: delayMs });
      this.#cancel = scheduler.after(delayMs, () => this.#connect());
    }
    this.#wake();
  }

  #wake(): void {
    this.#hasNews = true;
    this.#resolve();
  }
}

function notConnected(host: string, port: number, reason: string): SocketConnectError {
  return new SocketConnectError(
    `could not connect to ${host}:${port}: ${reason}`,
    { host, port },
    { hint: "Start the other side first, or leave onClose at 'reconnect'." },
  );
}
