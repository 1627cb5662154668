import type { FileSystem, ReadableFile } from '@millrace/core/connector';
import { Decompressor } from './decompressor.ts';
import type { FileSplit } from './file-split.ts';
import { changed, DamagedCompressionError, missing, readError } from './file-source-errors.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { Format } from './format.ts';

const LINE_FEED = 10;

/** How content is read. */
export interface ContentOptions {
  readonly format: Pick<Format<unknown>, 'framing' | 'hasHeader'>;
  readonly chunkBytes: number;
  readonly maxRecordBytes: number;
}

/** The content of a split from its position on: whole records and nothing else. */
export interface SplitContent {
  readonly header: string | null;
  /** Of the first byte of the chunks, in the uncompressed content. */
  readonly offset: number;
  readonly line: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Nothing follows. @throws SourceFileChangedError if the file is not what it was */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a split where it has been read to.
 *
 * @throws SourceFileMissingError, SourceFileChangedError, SourceFileReadError
 */
export async function openSplit(
  fileSystem: FileSystem,
  split: FileSplit,
  options: ContentOptions,
): Promise<SplitContent> {
  await checkUnchanged(fileSystem, split);
  const file = await fileSystem.openRead(split.path).catch((error) => {
    throw readError(split.path, error);
  });
  try {
    const header = await readHeader(file, split, options);
    const isBehindHeader = header !== null && split.offset < header.offset;
    const position = isBehindHeader
      ? { offset: header.offset, line: header.line }
      : await alignedPosition(file, split, options);
    return {
      header: header?.text ?? null,
      ...position,
      chunks: wholeRecords(file, split, position.offset, options),
      verify: () => checkUnchanged(fileSystem, split),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw readError(split.path, error);
  }
}

async function checkUnchanged(fileSystem: FileSystem, split: FileSplit): Promise<void> {
  const { path, sizeBytes, modifiedAtMs } = split;
  const stat = await fileSystem.stat(path).catch((error) => {
    throw readError(path, error);
  });
  if (stat === null) throw missing(path);
  if (stat.sizeBytes !== sizeBytes || stat.modifiedAtMs !== modifiedAtMs) {
    throw changed(path, sizeBytes);
  }
}

interface Header {
  readonly text: string;
  /** Of what follows it. */
  readonly offset: number;
  readonly line: number;
}

async function readHeader(
  file: ReadableFile,
  split: FileSplit,
  options: ContentOptions,
): Promise<Header | null> {
  if (options.format.hasHeader !== true) return null;
  const { framing } = options.format;
  const { maxRecordBytes } = options;
  const cutter = new FrameCutter({ framing, offset: 0, line: 1, maxRecordBytes });
  const headerOf = (): Header => ({
    text: cutter.text(),
    offset: cutter.offset,
    line: cutter.line,
  });
  for await (const chunk of contentFrom(file, split, 0, options)) {
    cutter.push(chunk, false);
    if (cutter.next()) return headerOf();
  }
  cutter.push(new Uint8Array(0), true);
  return cutter.next() ? headerOf() : null;
}

// The first record that begins at or behind `offset`: behind the first line break that is not
// before `offset - 1`.
async function alignedPosition(
  file: ReadableFile,
  split: FileSplit,
  options: ContentOptions,
): Promise<{ readonly offset: number; readonly line: number }> {
  const { offset, line, aligned } = split;
  if (aligned) return { offset, line };
  let at = offset - 1;
  for await (const chunk of contentFrom(file, split, at, options)) {
    const found = chunk.indexOf(LINE_FEED);
    if (found !== -1) return { offset: at + found + 1, line };
    at += chunk.length;
  }
  return { offset: at, line };
}

// Up to the end of the last record that begins in the range: the first line break that is not
// before `end - 1`.
async function* wholeRecords(
  file: ReadableFile,
  split: FileSplit,
  from: number,
  options: ContentOptions,
): AsyncGenerator<Uint8Array> {
  const { end } = split;
  if (end !== null && from >= end) return;
  let at = from;
  for await (const chunk of contentFrom(file, split, from, options)) {
    const found = end === null ? -1 : chunk.indexOf(LINE_FEED, Math.max(0, end - 1 - at));
    if (end !== null && at + chunk.length >= end && found !== -1) {
      yield chunk.subarray(0, found + 1);
      return;
    }
    yield chunk;
    at += chunk.length;
  }
}

async function* contentFrom(
  file: ReadableFile,
  split: FileSplit,
  from: number,
  options: ContentOptions,
): AsyncGenerator<Uint8Array> {
  if (split.compression === 'none') {
    yield* stored(file, split, from, options.chunkBytes);
    return;
  }
  const decompressor = new Decompressor(split.compression);
  let toSkip = from;
  const visible = function* (pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const piece of pieces) {
      if (piece.length > toSkip) yield piece.subarray(toSkip);
      toSkip = Math.max(0, toSkip - piece.length);
    }
  };
  try {
    for await (const chunk of stored(file, split, 0, options.chunkBytes)) {
      yield* visible(undamaged(split.path, decompressor.push(chunk)));
    }
    yield* visible(undamaged(split.path, decompressor.end()));
  } finally {
    decompressor.close();
  }
}

function* undamaged(path: string, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    throw new DamagedCompressionError(
      `${path} is damaged or cut off`,
      { path },
      { cause, hint: 'Put a whole file in its place and restart from the last checkpoint.' },
    );
  }
}

async function* stored(
  file: ReadableFile,
  { path, sizeBytes }: FileSplit,
  from: number,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let at = from; at < sizeBytes; ) {
    const chunk = await file.read(at, Math.min(chunkBytes, sizeBytes - at));
    if (chunk.length === 0) throw changed(path, sizeBytes);
    at += chunk.length;
    yield chunk;
  }
}
