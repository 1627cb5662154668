// What users and authors of formats need; everything here is a documented contract.
export { bucketByTime, type BucketContext, type BucketOf } from './file-sink/bucket.ts';
export { type FileSinkOptions, fileSink } from './file-sink/file-sink.ts';
export {
  BucketNameError,
  EncodeFailedError,
  FilePartLostError,
  FileSinkDiskFullError,
  FileSinkWriteError,
} from './file-sink/file-sink-errors.ts';
export {
  type CsvOutOptions,
  csvOut,
  jsonLinesOut,
  linesOut,
  type OutputFormat,
} from './file-sink/output-format.ts';
export {
  finishedPath,
  inProgressPath,
  pendingPath,
  type StagedPart,
} from './file-sink/part-name.ts';
export {
  type OpenPart,
  type PartChoice,
  PartRoller,
  type RollingPolicy,
} from './file-sink/part-roller.ts';
export { type CsvColumn, type CsvOptions, type CsvRecord, csv } from './file-source/csv.ts';
export type { Compression } from './file-source/decompressor.ts';
export type { FileEnumeratorState } from './file-source/file-enumerator.ts';
export {
  type FileReadOptions,
  type FileSelection,
  type FileSourceOptions,
  fileSource,
} from './file-source/file-source.ts';
export {
  DamagedCompressionError,
  LineTooLongError,
  MalformedRecordError,
  SourceFileChangedError,
  SourceFileMissingError,
  SourceFileReadError,
} from './file-source/file-source-errors.ts';
export type { FileSplit } from './file-source/file-split.ts';
export type { Format } from './file-source/format.ts';
export { type JsonLinesOptions, jsonLines, lines } from './file-source/lines.ts';
export type { OnMalformed } from './file-source/split-reader.ts';
export {
  AsyncSchemaError,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from './file-source/standard-schema.ts';
export { type DatagenOptions, type DatagenSplit, datagen } from './generated/datagen.ts';
export {
  fromArray,
  type MemorySourceOptions,
  type MemorySplit,
  memorySource,
} from './generated/memory-source.ts';
export { type MemoryCommittable, type MemorySink, memorySink } from './memory-sink.ts';
export { type PrintSinkOptions, printSink, type TextStream } from './print-sink.ts';
export type { Backoff } from './socket/backoff.ts';
export { type SocketTextOptions, socketText } from './socket/socket-text.ts';
export { SocketConnectError, type SocketSplit } from './socket/text-reader.ts';
