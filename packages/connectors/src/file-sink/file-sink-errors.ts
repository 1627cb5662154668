import { FileSystemError, StreamError } from '@millrace/core/connector';
import { fileErrorKind } from '../file-error-kind.ts';

/** The disk under the file sink is full. */
export class FileSinkDiskFullError extends StreamError<{ path: string }> {
  static override readonly code = 'FILE_SINK_DISK_FULL';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** The file sink could not write, sync or rename a file. */
export class FileSinkWriteError extends StreamError<{ path: string }> {
  static override readonly code = 'FILE_SINK_WRITE_FAILED';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** A part that a checkpoint names is not there, neither pending nor finished. */
export class FilePartLostError extends StreamError<{ part: string; sizeBytes: number }> {
  static override readonly code = 'FILE_PART_LOST';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** A function of the user gave a bucket that cannot be a folder below the sink's directory. */
export class BucketNameError extends StreamError<{ bucket: unknown }> {
  static override readonly code = 'FILE_SINK_BUCKET_NAME';
  static override readonly domain = 'user';
  static override readonly retry = 'never';

  constructor(bucket: unknown) {
    super(
      `${JSON.stringify(bucket)} cannot be the name of a bucket`,
      { bucket },
      { hint: 'Use names separated by /, none of them empty or beginning with a dot.' },
    );
  }
}

/** A record could not be turned into bytes. */
export class EncodeFailedError extends StreamError<{ format: string }> {
  static override readonly code = 'ENCODE_FAILED';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The typed error for what the file system threw. */
export function writeError(path: string, cause: unknown, operatorUid?: string): StreamError {
  if (cause instanceof StreamError && !(cause instanceof FileSystemError)) return cause;
  const sink = operatorUid === undefined ? '' : `sink "${operatorUid}": `;
  const kind = fileErrorKind(cause);
  if (kind === 'full') {
    return new FileSinkDiskFullError(
      `${sink}no space left to write ${path}`,
      { path },
      {
        cause,
        hint: 'Make room; the job goes on from its last checkpoint and nothing is lost.',
      },
    );
  }
  const hint = 'Choose another directory for the sink, or move the file away.';
  return new FileSinkWriteError(
    `${sink}could not write ${path}`,
    { path },
    { cause, ...(kind === 'not-directory' ? { hint } : {}) },
  );
}
