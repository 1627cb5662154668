import { StreamError } from '../base/errors.ts';

/** What every storage error says. */
export interface StorageErrorDetails {
  /** The storage's `location`. */
  readonly location: string;
  readonly operation: 'put' | 'createIfAbsent' | 'get' | 'getRange' | 'list' | 'delete';
  /** Name of the object, or the prefix of a list. */
  readonly name: string;
}

const verbs: Readonly<Record<StorageErrorDetails['operation'], string>> = {
  put: 'write',
  createIfAbsent: 'write',
  get: 'read',
  getRange: 'read',
  list: 'list',
  delete: 'delete',
};

/** The beginning of every message: what could not be done, and where. */
export function failedCall({ location, operation, name }: StorageErrorDetails): string {
  return `could not ${verbs[operation]} "${name}" in ${location}`;
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
  static override readonly code: string = 'STORAGE_UNAVAILABLE';
  static override readonly retry = 'backoff';
}

/** The storage refused the call because there were too many: nothing was done. */
export class StorageThrottledError extends StorageUnavailableError {
  static override readonly code = 'STORAGE_THROTTLED';
}

/** No connection to the storage: nothing was done. */
export class StorageUnreachableError extends StorageUnavailableError {
  static override readonly code = 'STORAGE_UNREACHABLE';
}

/** The bucket, or what else the objects are to be in, does not exist. */
export class StorageBucketNotFoundError extends StorageError {
  static override readonly code = 'STORAGE_BUCKET_NOT_FOUND';
  static override readonly retry = 'never';
}

/** The storage does not know the credentials, or there are none. */
export class StorageCredentialsError extends StorageError {
  static override readonly code = 'STORAGE_CREDENTIALS_REJECTED';
  static override readonly retry = 'never';
}

/** Credentials that were good once; those who provide them may have newer ones. */
export class StorageCredentialsExpiredError extends StorageError {
  static override readonly code = 'STORAGE_CREDENTIALS_EXPIRED';
  static override readonly retry = 'backoff';
}

/** This machine's clock and the storage's differ by more than signatures allow. */
export class StorageClockSkewError extends StorageError {
  static override readonly code = 'STORAGE_CLOCK_SKEW';
  static override readonly retry = 'never';
}

/** The key that the storage encrypts with may not be used, or is not there. */
export class StorageKeyDeniedError extends StorageError {
  static override readonly code = 'STORAGE_ENCRYPTION_KEY_DENIED';
  static override readonly retry = 'never';
}

/** The bucket lies in another region, or behind another endpoint. */
export class StorageRegionError extends StorageError {
  static override readonly code = 'STORAGE_REGION_MISMATCH';
  static override readonly retry = 'never';
}

/** The storage refuses the call, for a reason that no other class stands for; nothing was done. */
export class StorageRefusedError extends StorageError {
  static override readonly code = 'STORAGE_REFUSED';
  static override readonly retry = 'never';
}

/** The URL of a storage says nothing that its driver understands. */
export class StorageAddressError extends StreamError<{ readonly address: string }> {
  static override readonly code = 'STORAGE_ADDRESS_INVALID';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/**
 * Whether a call that failed like this was certainly not carried out, so that it may be repeated
 * even if it must not happen twice.
 */
export function isKnownNotDone(error: StorageError): boolean {
  if (error instanceof StorageThrottledError || error instanceof StorageUnreachableError) {
    return true;
  }
  return !(error instanceof StorageUnavailableError);
}

/** A name that no storage takes: a mistake of Millrace or of a tool, never of the storage. */
export class StorageNameError extends StorageError {
  static override readonly code = 'STORAGE_NAME_INVALID';
  static override readonly retry = 'never';
}
