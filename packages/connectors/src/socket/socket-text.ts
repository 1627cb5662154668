import type { Source } from '@millrace/core/connector';
import { StaticSplits } from '../generated/static-splits.ts';
import type { Backoff } from './backoff.ts';
import { type SocketSplit, TextReader } from './text-reader.ts';

/** Options of `socketText`. */
export interface SocketTextOptions {
  /** Default `localhost`. */
  readonly host?: string;
  readonly port: number;
  /** When the other side closes or is not there. Default `reconnect`. */
  readonly onClose?: 'reconnect' | 'end';
  /** Waits between attempts double. Default 200 ms up to 10 s. */
  readonly backoff?: Partial<Backoff>;
  /** Default 1 MB. */
  readonly maxLineBytes?: number;
}

/**
 * Lines of UTF-8 text from a TCP server, for trying things out (`nc -lk 9999`). One reader,
 * whatever the parallelism.
 *
 * At-least-once at best: a socket cannot go back, so lines that were read after the last checkpoint
 * are lost in a failure unless the other side sends them again.
 */
export function socketText(
  options: SocketTextOptions,
): Source<string, SocketSplit, readonly SocketSplit[]> {
  const { host = 'localhost', port, onClose = 'reconnect', maxLineBytes = 1024 * 1024 } = options;
  const backoff = { initialMs: 200, maxMs: 10_000, ...options.backoff };
  return {
    name: 'socket',
    boundedness: onClose === 'end' ? 'bounded' : 'continuous',
    delivery: 'at-least-once',
    createEnumerator: (context, restored) =>
      new StaticSplits(context, restored ?? [{ splitId: `${host}:${port}` }]),
    createReader: (context) =>
      new TextReader(context, { host, port, backoff, maxLineBytes, onClose }),
  };
}
