import type { Environment } from '@millrace/core/host';
import type { NetworkPolicy } from '@millrace/core/storage';

/** Keys of an account. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they end; whoever provides them is then asked again. */
  readonly expiration?: Date;
}

/** Which objects of which bucket, and how they are reached. Plain data but for functions. */
export interface S3StorageOptions {
  readonly bucket: string;
  /** All names are below it; without `/` at its ends. Default: none. */
  readonly prefix?: string;
  /** Default: AWS's own, by region. */
  readonly endpoint?: string;
  /** Default: as the SDK finds it; with an endpoint, `us-east-1` if it finds none. */
  readonly region?: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: with an endpoint. */
  readonly forcePathStyle?: boolean;
  /**
   * Default: the SDK's chain (environment, shared files, web identity, container, machine). A
   * function is asked again when what it gave has expired.
   */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /** How the store is asked to create only if absent. Default `if-none-match`. */
  readonly creation?: CreationCondition;
  /** For messages. Default `s3`. */
  readonly scheme?: string;
  /** Bytes of a part of an upload, 5 MiB or more; 10 000 parts at most. Default 8 MiB. */
  readonly partBytes?: number;
  /** Parts of one upload under way at once, all of them in memory. Default 4. */
  readonly partsInFlight?: number;
  /** What is left out is as in `DEFAULT_NETWORK_POLICY`. */
  readonly network?: Partial<NetworkPolicy>;
  /**
   * `read`: nothing is written, so whether the store creates conditionally is not tried, and
   * `hasConditionalCreate` is false. Default `write`.
   */
  readonly access?: StorageAccess;
  /** Time, order and chance. Default: the real ones. */
  readonly environment?: Pick<Environment, 'clock' | 'scheduler' | 'random'>;
}

/** What a storage is opened for. */
export type StorageAccess = 'read' | 'write';

/**
 * `If-None-Match: *` (AWS, MinIO, R2, and most others), or a header of the vendor that forbids to
 * overwrite (Tencent COS, Alibaba OSS).
 */
export type CreationCondition =
  | 'if-none-match'
  | 'x-cos-forbid-overwrite'
  | 'x-oss-forbid-overwrite';
