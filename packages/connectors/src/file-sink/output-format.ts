import { messageOf } from '@millrace/core/connector';
import { EncodeFailedError } from './file-sink-errors.ts';

/**
 * How records are written into a file. Anyone can write one.
 *
 * A file is its header followed by its records, so that parts can be joined and cut anywhere
 * between records.
 */
export interface OutputFormat<T> {
  /** For messages. */
  readonly name: string;
  /** Of the files, with its dot. */
  readonly suffix: string;
  /** Stands at the beginning of every part. */
  readonly header?: string | Uint8Array;
  /** One record, its end included; text goes out as UTF-8. Throws if it cannot be written. */
  encode(value: T, timestampMs: number): string | Uint8Array;
}

/** One JSON value per line. What JSON cannot hold (a bigint, a function) fails the job. */
export function jsonLinesOut<T>(): OutputFormat<T> {
  return {
    name: 'JSON lines',
    suffix: '.jsonl',
    encode(value) {
      const text = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`JSON has no word for ${typeof value}`);
      return `${text}\n`;
    },
  };
}

/** Text, one record per line. A record that holds a line break fails the job. */
export function linesOut(): OutputFormat<string> {
  return {
    name: 'lines',
    suffix: '.txt',
    encode(value) {
      if (typeof value !== 'string') throw new TypeError(`a line is a string, not ${typeof value}`);
      if (/[\r\n]/.test(value)) throw new TypeError('a line holds no line break');
      return `${value}\n`;
    },
  };
}

/** Options of `csvOut`. */
export interface CsvOutOptions<T> {
  /** Fields of a record, in the order of the columns. */
  readonly columns: readonly (keyof T & string)[];
  /** Whether each file begins with the names of the columns. Default true. */
  readonly header?: boolean;
  /** Default `,`. */
  readonly delimiter?: string;
}

/**
 * CSV as in RFC 4180 but for the line break, which is `\n`. null and undefined are empty fields; an
 * empty text is `""`; everything but text, numbers, bigints and booleans is written as JSON.
 */
export function csvOut<T extends object>(options: CsvOutOptions<T>): OutputFormat<T> {
  const { columns, delimiter = ',', header = true } = options;
  const needsQuotes = new RegExp(`["\r\n${delimiter.replace(/[\\\]^-]/, '\\$&')}]|^$|^\\s|\\s$`);
  const field = (value: unknown): string => {
    if (value === null || value === undefined) return '';
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    const text =
      typeof value === 'string'
        ? value
        : typeof value === 'bigint'
          ? String(value)
          : (JSON.stringify(value) ?? '');
    return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return {
    name: 'CSV',
    suffix: '.csv',
    ...(header ? { header: `${columns.map(field).join(delimiter)}\n` } : {}),
    encode: (value) => `${columns.map((column) => field(value[column])).join(delimiter)}\n`,
  };
}

/** @throws EncodeFailedError with what the format threw as its cause */
export function encodeRecord<T>(
  format: OutputFormat<T>,
  value: T,
  timestampMs: number,
): string | Uint8Array {
  try {
    return format.encode(value, timestampMs);
  } catch (cause) {
    throw new EncodeFailedError(
      `could not write a record as ${format.name}: ${messageOf(cause)}`,
      { format: format.name },
      { cause },
    );
  }
}
