import { nodeEnvironment } from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import {
  DEFAULT_NETWORK_POLICY,
  probeConditionalCreate,
  StorageAddressError,
  StorageRefusedError,
  type StorageOpener,
} from '@millrace/core/storage';
import type { CreationMode } from './create-object.ts';
import { s3OptionsOf } from './s3-address.ts';
import { S3Calls } from './s3-calls.ts';
import { newS3Client } from './s3-client.ts';
import { failureOf } from './s3-errors.ts';
import type { S3Credentials, S3StorageOptions, StorageAccess } from './s3-options.ts';
import { S3Storage } from './s3-storage.ts';

const PART_BYTES = 8 * 2 ** 20;
const PART_BYTES_MIN = 5 * 2 ** 20; // of S3
const PARTS_IN_FLIGHT = 4;

/** What `s3StorageOf` needs beside the URL. */
export interface S3OpenOptions {
  /** Default: the process's. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly access?: StorageAccess;
  readonly environment?: Pick<Environment, 'clock' | 'scheduler' | 'random'>;
}

/**
 * Opens the storage that a URL names: `s3://bucket/prefix`, `cos://...` (Tencent), `oss://...`
 * (Alibaba), with the parameters `endpoint`, `region`, `pathStyle`, `partBytes`.
 *
 * @throws StorageAddressError for a URL that makes no sense; what `openS3Storage` throws
 */
export async function s3StorageOf(
  address: string,
  options: S3OpenOptions = {},
): Promise<S3Storage> {
  const { variables = process.env, ...others } = options;
  return openS3Storage({ ...s3OptionsOf(address, variables), ...others });
}

/**
 * Opens a storage in a bucket and, unless `access` is `read`, finds out whether it creates
 * conditionally: three or four requests.
 *
 * @throws StorageError if bucket, credentials, region or rights are wrong
 */
export async function openS3Storage(options: S3StorageOptions): Promise<S3Storage> {
  const creation: CreationMode = { condition: options.creation ?? 'if-none-match' };
  const calls = callsOf(options);
  const make = (hasConditionalCreate: boolean): S3Storage =>
    storageOf(options, calls, creation, hasConditionalCreate);
  if (options.access === 'read') return make(false);
  try {
    const { random } = options.environment ?? nodeEnvironment();
    if (await probeConditionalCreate(make(false), random)) return make(true);
  } catch (error) {
    if (!isUnknownCondition(error)) {
      calls.close();
      throw error;
    }
  }
  creation.condition = null;
  return make(false);
}

/**
 * What `CheckpointStorage.opener` of this driver names: opens in another thread, with the real
 * clock, what was probed already.
 */
export async function openS3StorageInThread(options: ThreadOptions): Promise<S3Storage> {
  const creation: CreationMode = { condition: options.condition };
  const { storage, hasConditionalCreate } = options;
  return storageOf(storage, callsOf(storage), creation, hasConditionalCreate);
}

/** Plain data. */
export interface ThreadOptions {
  readonly storage: Omit<S3StorageOptions, 'environment'>;
  readonly condition: CreationMode['condition'];
  readonly hasConditionalCreate: boolean;
}

function callsOf(options: S3StorageOptions): S3Calls {
  const { bucket, prefix = '', scheme = 's3' } = options;
  const place = {
    bucket,
    directory: prefix === '' ? '' : `${prefix}/`,
    location: `${scheme}://${bucket}${prefix === '' ? '' : `/${prefix}`}`,
  };
  const { partBytes = PART_BYTES } = options;
  if (!(partBytes >= PART_BYTES_MIN)) {
    throw new StorageAddressError(
      `parts of ${partBytes} bytes for ${place.location}: S3 takes ${PART_BYTES_MIN} or more`,
      { address: place.location },
    );
  }
  const policy = { ...DEFAULT_NETWORK_POLICY, ...options.network };
  const environment = options.environment ?? nodeEnvironment();
  return new S3Calls(() => newS3Client(options, policy), place, environment, policy);
}

function storageOf(
  options: S3StorageOptions,
  calls: S3Calls,
  creation: CreationMode,
  hasConditionalCreate: boolean,
): S3Storage {
  return new S3Storage({
    calls,
    creation,
    partBytes: options.partBytes ?? PART_BYTES,
    partsInFlight: options.partsInFlight ?? PARTS_IN_FLIGHT,
    hasConditionalCreate,
    opener: openerOf(options, creation, hasConditionalCreate),
  });
}

function openerOf(
  options: S3StorageOptions,
  creation: CreationMode,
  hasConditionalCreate: boolean,
): StorageOpener | undefined {
  const { environment: _, credentials, ...others } = options;
  if (typeof credentials === 'function') return undefined;
  const storage =
    credentials === undefined ? others : { ...others, credentials: plainOf(credentials) };
  const plain: ThreadOptions = { storage, condition: creation.condition, hasConditionalCreate };
  return { module: import.meta.url, exportName: 'openS3StorageInThread', options: plain };
}

// Only what we know of: whoever gave them may have put more beside it.
function plainOf({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials): S3Credentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

// Stores that know neither the header nor how to ignore it.
function isUnknownCondition(error: unknown): boolean {
  if (!(error instanceof StorageRefusedError)) return false;
  const { code, status } = failureOf(error.cause);
  return code === 'NotImplemented' || status === 501;
}
