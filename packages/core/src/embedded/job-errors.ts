import { StreamError } from '../base/errors.ts';

/** The job does not run (any more), so what was asked of it cannot be done. */
export class JobNotRunningError extends StreamError<{ jobName: string; status: string }> {
  static override readonly code = 'JOB_NOT_RUNNING';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The package with the driver for a checkpoint directory is not installed. */
export class StorageDriverMissingError extends StreamError<{
  readonly directory: string;
  readonly package: string;
}> {
  static override readonly code = 'STORAGE_DRIVER_MISSING';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A checkpoint directory that no storage driver knows. */
export class UnsupportedStorageError extends StreamError<{ directory: string }> {
  static override readonly code = 'UNSUPPORTED_STORAGE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}
