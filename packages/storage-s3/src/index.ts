export {
  openS3Storage,
  openS3StorageInThread,
  type S3OpenOptions,
  s3StorageOf,
  type ThreadOptions,
} from './open-s3-storage.ts';
export { S3_SCHEMES, s3OptionsOf } from './s3-address.ts';
export type {
  CreationCondition,
  S3Credentials,
  S3StorageOptions,
  StorageAccess,
} from './s3-options.ts';
export { S3Storage, type S3StorageParts } from './s3-storage.ts';
