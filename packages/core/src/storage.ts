// The sub-path `@millrace/core/storage`: what a storage driver needs. Its tests take the suite of
// `@millrace/core/storage-conformance`.
export type { CheckpointStorage, StoredObject } from './storage/checkpoint-storage.ts';
export { checkObjectName, compareNames } from './storage/object-name.ts';
export {
  StorageError,
  type StorageErrorDetails,
  StorageFullError,
  StorageNameError,
  StorageNotDirectoryError,
  StorageNotFoundError,
  StoragePermissionError,
  StorageUnavailableError,
} from './storage/storage-errors.ts';
