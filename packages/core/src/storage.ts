// The sub-path `@millrace/core/storage`: what a storage driver needs. Its tests take the suite of
// `@millrace/core/storage-conformance`.
export type {
  CheckpointStorage,
  StorageCallOptions,
  StoredObject,
  StorageOpener,
} from './storage/checkpoint-storage.ts';
export { ChunkSource } from './storage/chunk-source.ts';
export {
  DEFAULT_NETWORK_POLICY,
  type NetworkAttempt,
  type NetworkCall,
  NetworkCalls,
  type NetworkPolicy,
} from './storage/network-calls.ts';
export { checkObjectName, compareNames } from './storage/object-name.ts';
export { PROBE_PREFIX, probeConditionalCreate } from './storage/probe-conditional-create.ts';
export {
  failedCall,
  isKnownNotDone,
  StorageAddressError,
  StorageBucketNotFoundError,
  StorageClockSkewError,
  StorageCredentialsError,
  StorageCredentialsExpiredError,
  StorageError,
  type StorageErrorDetails,
  StorageFullError,
  StorageKeyDeniedError,
  StorageNameError,
  StorageNotDirectoryError,
  StorageNotFoundError,
  StoragePermissionError,
  StorageRefusedError,
  StorageRegionError,
  StorageThrottledError,
  StorageUnavailableError,
  StorageUnreachableError,
} from './storage/storage-errors.ts';
