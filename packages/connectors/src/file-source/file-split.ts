import type { SourceSplit } from '@millrace/core/connector';
import type { Compression } from './decompressor.ts';

/**
 * A file, or a range of bytes of a plain one, and how far it has been read. A record belongs to the
 * range in which it begins.
 */
export interface FileSplit extends SourceSplit {
  readonly path: string;
  /** Of the file as stored, when it was found; it must not change. */
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly compression: Compression;
  /** First byte of the range. */
  readonly start: number;
  /** First byte behind the range; null: to the end of the file. */
  readonly end: number | null;
  /** Of the next record, in the uncompressed content. */
  readonly offset: number;
  /** Of the next record; counts from 1 at the first record that begins in the range. */
  readonly line: number;
  /** `offset` is where a record begins; else the first one behind it is still to be found. */
  readonly aligned: boolean;
}

/** A file that has been found. */
export interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/**
 * The splits of a file: ranges of `splitSizeBytes`, the last one up to half as long again. An empty
 * file has none.
 *
 * @param splitSizeBytes Infinity: one split
 */
export function splitsOf(
  file: FoundFile,
  compression: Compression,
  splitSizeBytes: number,
): FileSplit[] {
  const { path, sizeBytes, modifiedAtMs } = file;
  if (sizeBytes === 0) return [];
  const isWhole = compression !== 'none' || sizeBytes <= splitSizeBytes * 1.5;
  const count = isWhole ? 1 : Math.max(1, Math.round(sizeBytes / splitSizeBytes));
  return Array.from({ length: count }, (_, index) => {
    const start = index === 0 ? 0 : index * splitSizeBytes;
    return {
      splitId: `${path}:${start}`,
      path,
      sizeBytes,
      modifiedAtMs,
      compression,
      start,
      end: index === count - 1 ? null : start + splitSizeBytes,
      offset: start,
      line: 1,
      aligned: start === 0,
    };
  });
}

/** Text such as `orders.jsonl, line 17` for messages. */
export function placeOf({ path, start }: FileSplit, line: number): string {
  return start === 0 ? `${path}, line ${line}` : `${path}, line ${line} behind byte ${start}`;
}
