import { StreamError } from '../base/errors.ts';

/** What every storage error says. */
export interface StorageErrorDetails {
  /** The storage's `location`. */
  readonly location: string;
  readonly operation: 'put' | 'createIfAbsent' | 'get' | 'getRange' | 'list' | 'delete';
  /** Name of the object, or the prefix of a list. */
  readonly name: string;
}

/** Base of what a `CheckpointStorage` throws. */
export abstract class StorageError extends StreamError<StorageErrorDetails> {
  static override readonly domain = 'external';
}

/** There is no object of that name. */
export class StorageNotFoundError extends StorageError {
  static override readonly code = 'STORAGE_NOT_FOUND';
  static override readonly retry = 'never';
}

/** The disk or the quota is full. */
export class StorageFullError extends StorageError {
  static override readonly code = 'STORAGE_FULL';
  static override readonly retry = 'backoff';
}

/** The process may not read or write there. */
export class StoragePermissionError extends StorageError {
  static override readonly code = 'STORAGE_PERMISSION_DENIED';
  static override readonly retry = 'never';
}

/** The storage's place is no directory: it is a file, or lies below one. */
export class StorageNotDirectoryError extends StorageError {
  static override readonly code = 'STORAGE_NOT_A_DIRECTORY';
  static override readonly retry = 'never';
}

/** The storage did not answer, or failed; whether the call had its effect is unknown. */
export class StorageUnavailableError extends StorageError {
  static override readonly code = 'STORAGE_UNAVAILABLE';
  static override readonly retry = 'backoff';
}

/** A name that no storage takes: a mistake of Millrace or of a tool, never of the storage. */
export class StorageNameError extends StorageError {
  static override readonly code = 'STORAGE_NAME_INVALID';
  static override readonly retry = 'never';
}
