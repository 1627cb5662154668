import { InvalidOptionError, type Source } from '@millrace/core/connector';
import { checkCount, checkText } from '../check-option.ts';
import { type Compression, compressionOf } from './decompressor.ts';
import { nameFilter } from './file-discovery.ts';
import { FileEnumerator, type FileEnumeratorState } from './file-enumerator.ts';
import { FileReader } from './file-reader.ts';
import { type FileSplit, splitsOf } from './file-split.ts';
import type { Format } from './format.ts';
import type { OnMalformed } from './split-reader.ts';

const MEGABYTE = 1024 * 1024;

/** Which files: named ones, or those of a directory. */
export type FileSelection =
  | { readonly path: string; readonly paths?: undefined; readonly directory?: undefined }
  | { readonly paths: readonly string[]; readonly path?: undefined; readonly directory?: undefined }
  | { readonly directory: string; readonly path?: undefined; readonly paths?: undefined };

/** Options of `fileSource` besides the selection. */
export interface FileReadOptions<T> {
  /** `lines()`, `jsonLines()`, `csv()`, or one of your own. */
  readonly format: Format<T>;
  /** Names to read from a directory, such as `'*.jsonl'`; default: all that are complete. */
  readonly include?: string | readonly string[];
  /** Directories below too. Default false. */
  readonly recursive?: boolean;
  /** Looks for new files again and again; the source has no end. Default: looks once. */
  readonly discoverEveryMs?: number;
  /** Default: by the extension (`.gz`, `.zst`). */
  readonly compression?: Compression;
  /** Default `fail`. */
  readonly onMalformed?: OnMalformed;
  /** Plain files longer than 1.5 times this are read in ranges, in parallel. Default 64 MB. */
  readonly splitSizeBytes?: number;
  /** The longest record. Default 16 MB. */
  readonly maxRecordBytes?: number;
  /** What one reader fetches ahead; the last chunk may exceed it. Default 1 MB. */
  readonly readAheadBytes?: number;
  /** What is read from disk at once. Default 256 kB. */
  readonly chunkBytes?: number;
}

/** Options of `fileSource`. */
export type FileSourceOptions<T> = FileSelection & FileReadOptions<T>;

/**
 * Reads files of text, exactly once: a checkpoint holds the offset of the next record of each
 * split. Files must be complete when they appear and must not change.
 *
 * Order: of records within a split; splits are begun in the order of the paths.
 *
 * @throws InvalidOptionError
 */
export function fileSource<T>(
  options: FileSourceOptions<T>,
): Source<T, FileSplit, FileEnumeratorState> {
  checkOptions(options);
  const { format, include = [], discoverEveryMs = null, compression } = options;
  const mayBeSplit = format.framing === 'lines';
  const splitSizeBytes = mayBeSplit
    ? (options.splitSizeBytes ?? 64 * MEGABYTE)
    : Number.POSITIVE_INFINITY;
  const enumeratorOptions = {
    paths: options.paths ?? (options.path === undefined ? [] : [options.path]),
    directory: options.directory ?? null,
    isRecursive: options.recursive ?? false,
    accepts: nameFilter(typeof include === 'string' ? [include] : include),
    isStrict: discoverEveryMs === null,
    discoverEveryMs,
    splitsOf: (file: Parameters<typeof splitsOf>[0]) =>
      splitsOf(file, compression ?? compressionOf(file.path), splitSizeBytes),
  };
  const readerOptions = {
    format,
    onMalformed: options.onMalformed ?? 'fail',
    readAheadBytes: options.readAheadBytes ?? MEGABYTE,
    chunkBytes: options.chunkBytes ?? 256 * 1024,
    maxRecordBytes: options.maxRecordBytes ?? 16 * MEGABYTE,
  } as const;
  return {
    name: 'files',
    boundedness: discoverEveryMs === null ? 'bounded' : 'continuous',
    delivery: 'exactly-once',
    createEnumerator: (context, restored) =>
      new FileEnumerator(context, enumeratorOptions, restored),
    createReader: (context) => new FileReader<T>(context, readerOptions),
  };
}

function checkOptions(options: FileSourceOptions<unknown>): void {
  const { path, paths, directory } = options;
  if ([path, paths, directory].filter((one) => one !== undefined).length !== 1) {
    const rule = 'must be given, or paths, or directory, and only one of them';
    throw new InvalidOptionError('path', path, rule);
  }
  if (directory !== undefined) checkText('directory', directory);
  for (const one of paths ?? (path === undefined ? [] : [path])) checkText('path', one);
  checkCount('discoverEveryMs', options.discoverEveryMs, 1);
  checkCount('splitSizeBytes', options.splitSizeBytes, 1);
  checkCount('maxRecordBytes', options.maxRecordBytes, 1);
  checkCount('readAheadBytes', options.readAheadBytes, 1);
  checkCount('chunkBytes', options.chunkBytes, 1);
}
