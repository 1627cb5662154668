// What a connector needs of the engine: the contracts of sources and sinks and what they speak of.
export { AssertionError, assert, assertNever } from './base/assert.ts';
export {
  type ErrorDomain,
  messageOf,
  type RetryHint,
  StreamError,
  type StreamErrorOptions,
} from './base/errors.ts';
export { InvalidOptionError } from './base/invalid-option-error.ts';
export type {
  BackgroundExecutor,
  BackgroundJob,
  Cancel,
  Clock,
  Environment,
  Logger,
  LogLevel,
  Random,
  Scheduler,
} from './base/environment.ts';
export {
  type DirectoryEntry,
  type FileErrorKind,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from './base/file-system.ts';
export { Batch, BATCH_CAPACITY, type RecordOrigin } from './element/batch.ts';
export type { Attempt, CheckpointId } from './element/element.ts';
export { hasTimestamp, NO_TIMESTAMP } from './element/time.ts';
export {
  DEAD_LETTERS,
  type DeadLetter,
  type EnumeratorContext,
  type ReaderContext,
  type Source,
  type SourceBatch,
  type SourceReader,
  type SourceSplit,
  type SplitEnumerator,
} from './function/source.ts';
export type {
  CommitOutcome,
  Committer,
  PreparedCommit,
  Sink,
  SinkContext,
  SinkWriter,
} from './function/sink.ts';
export { Counter, Histogram, MetricGroup } from './metrics/registry.ts';
