import type { Environment } from '../base/environment.ts';
import { schemeOf } from '../checkpoint/place-address.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { FileStorage } from '../storage/file-storage.ts';
import { importDriver } from './import-driver.ts';
import { UnsupportedStorageError } from './job-errors.ts';
import { readableAtOnce } from './readable-at-once.ts';

/** What a storage is opened for; reading alone needs no right to write, and tries nothing. */
export type StoragePurpose = 'read' | 'write';

/** A package with a driver, loaded when a URL asks for it, and its function that opens one. */
interface DriverPackage {
  readonly name: string;
  readonly opener: string;
}

type DriverOpener = (
  url: string,
  options: { readonly access: StoragePurpose },
) => Promise<CheckpointStorage>;

const S3: DriverPackage = { name: '@millrace/storage-s3', opener: 's3StorageOf' };
const HDFS: DriverPackage = { name: '@millrace/storage-webhdfs', opener: 'webHdfsStorageOf' };

const drivers: ReadonlyMap<string, DriverPackage> = new Map([
  ...['s3', 'cos', 'oss'].map((scheme) => [scheme, S3] as const),
  ...['webhdfs', 'swebhdfs'].map((scheme) => [scheme, HDFS] as const),
]);

/**
 * The storage of a directory that a user named: a path, or a `file:`, `s3:`, `cos:`, `oss:`,
 * `webhdfs:` or `swebhdfs:` URL. Whoever opened it closes it.
 *
 * @throws UnsupportedStorageError for other URLs; StorageDriverMissingError if the package is not
 *   installed; StorageAddressError and what opening throws (S3: a bucket that is not there, ...)
 */
export async function storageOf(
  directory: string,
  environment: Environment,
  purpose: StoragePurpose = 'write',
): Promise<CheckpointStorage> {
  const scheme = schemeOf(directory);
  if (scheme === null || scheme === 'file') {
    const path = scheme === null ? directory : decodeURIComponent(new URL(directory).pathname);
    return new FileStorage(path, environment.fileSystem, environment.random);
  }
  const driver = drivers.get(scheme);
  if (driver !== undefined) {
    const open = await loadOpener(driver, directory);
    return readableAtOnce(await open(directory, { access: purpose }));
  }
  throw new UnsupportedStorageError(
    `no storage driver for "${directory}"`,
    { directory },
    {
      hint:
        'Use a path, a file:, s3:, cos:, oss: or webhdfs: URL, ' +
        'or pass a driver as the option `storage`.',
    },
  );
}

async function loadOpener(driver: DriverPackage, directory: string): Promise<DriverOpener> {
  const module: unknown = await importDriver(driver.name, directory);
  // What the packages of one version promise each other; tried by test/servers.
  return (module as Record<string, DriverOpener>)[driver.opener]!;
}
