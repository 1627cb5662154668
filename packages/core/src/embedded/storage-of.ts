import type { Environment } from '../base/environment.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { FileStorage } from '../storage/file-storage.ts';
import { UnsupportedStorageError } from './job-errors.ts';

/**
 * The storage of a directory that a user named: a path, or a `file:` URL.
 *
 * @throws UnsupportedStorageError for other URLs
 */
export function storageOf(directory: string, environment: Environment): CheckpointStorage {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(directory)?.[1]?.toLowerCase();
  if (scheme === undefined)
    return new FileStorage(directory, environment.fileSystem, environment.random);
  if (scheme === 'file') {
    const path = decodeURIComponent(new URL(directory).pathname);
    return new FileStorage(path, environment.fileSystem, environment.random);
  }
  throw new UnsupportedStorageError(
    `no storage driver for "${directory}"`,
    { directory },
    { hint: 'Use a path or a file: URL, or pass a driver as the option `storage`.' },
  );
}
