import type { Sink } from '@millrace/core/connector';

/** Where `printSink` writes; every writable stream of Node is one. */
export interface TextStream {
  write(text: string): unknown;
}

/** Options of `printSink`. */
export interface PrintSinkOptions<T> {
  /** In front of every line, with a space after it. */
  readonly prefix?: string;
  /** Default: a string as it is, everything else as JSON. */
  readonly format?: (value: T, timestampMs: number) => string;
  /** Default: standard output. */
  readonly stream?: TextStream;
}

const STANDARD_OUTPUT: TextStream = {
  // The console ends the line itself.
  write: (text) => console.log(text.endsWith('\n') ? text.slice(0, -1) : text),
};

/**
 * Writes each record as a line. At-least-once: after a failure, lines since the last checkpoint are
 * printed again. A line appears at the end of the batch it came in.
 */
export function printSink<T>(options: PrintSinkOptions<T> = {}): Sink<T, never, never> {
  const { stream = STANDARD_OUTPUT, format = printed } = options;
  const prefix = options.prefix === undefined ? '' : `${options.prefix} `;
  return {
    name: 'print',
    delivery: 'at-least-once',
    createWriter() {
      let lines = '';
      const flush = (): void => {
        if (lines !== '') stream.write(lines);
        lines = '';
      };
      return {
        write(value, timestampMs) {
          lines += `${prefix}${format(value, timestampMs)}\n`;
        },
        ready() {
          flush();
          return null;
        },
        prepareCommit() {
          flush();
          return async () => ({ committables: [], writerStates: [] });
        },
        onTick: flush,
        endInput: flush,
        async close() {
          flush();
        },
      };
    },
  };
}

function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
  return text ?? String(value);
}
