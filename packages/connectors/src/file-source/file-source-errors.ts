import { FileSystemError, StreamError } from '@millrace/core/connector';
import { fileErrorKind } from '../file-error-kind.ts';

/** A file or directory that the source was told to read is not there. */
export class SourceFileMissingError extends StreamError<{ path: string }> {
  static override readonly code = 'SOURCE_FILE_MISSING';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** A file was written to, cut or replaced after the source had found it. */
export class SourceFileChangedError extends StreamError<{ path: string; sizeBytes: number }> {
  static override readonly code = 'SOURCE_FILE_CHANGED';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** The disk did not give a file. */
export class SourceFileReadError extends StreamError<{ path: string }> {
  static override readonly code = 'SOURCE_FILE_READ_FAILED';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** A compressed file is damaged or cut off. */
export class DamagedCompressionError extends StreamError<{ path: string }> {
  static override readonly code = 'COMPRESSED_FILE_DAMAGED';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** A record of a file could not be read. */
export class MalformedRecordError extends StreamError<{
  path: string;
  line: number;
  offset: number;
}> {
  static override readonly code = 'MALFORMED_RECORD';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A record is longer than the limit of the source. */
export class LineTooLongError extends StreamError<{ path: string; offset: number }> {
  static override readonly code = 'LINE_TOO_LONG';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The typed error for what the file system threw on reading. */
export function readError(path: string, cause: unknown): StreamError {
  if (cause instanceof StreamError && !(cause instanceof FileSystemError)) return cause;
  if (fileErrorKind(cause) === 'not-found') return missing(path, cause);
  return new SourceFileReadError(`could not read ${path}`, { path }, { cause });
}

/** What the source was told to read, and never found. */
export function notThere(path: string, operatorUid: string | undefined): SourceFileMissingError {
  const source = operatorUid === undefined ? '' : `source "${operatorUid}": `;
  return new SourceFileMissingError(
    `${source}there is no ${path}`,
    { path },
    { hint: 'Is the path mistyped? A relative one begins at the folder the job is started in.' },
  );
}

/** @param cause left out: nothing was thrown, there just is nothing */
export function missing(path: string, cause?: unknown): SourceFileMissingError {
  return new SourceFileMissingError(
    `${path} is not there`,
    { path },
    {
      ...(cause === undefined ? {} : { cause }),
      hint: 'Leave files in place until a checkpoint after their end is complete.',
    },
  );
}

/** @param sizeBytes of the file when it was found */
export function changed(path: string, sizeBytes: number): SourceFileChangedError {
  return new SourceFileChangedError(
    `${path} has changed since it was found with ${sizeBytes} bytes`,
    { path, sizeBytes },
    { hint: 'Write files elsewhere and move them into the directory when they are complete.' },
  );
}
