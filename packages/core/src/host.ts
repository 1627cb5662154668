// The sub-path `@millrace/core/host`: what a host needs to drive tasks, and what tests of operators
// need to stand in for one. The embedded host, the simulator and the Flink runner live on this.
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
export { StreamError } from './base/errors.ts';
export {
  type DirectoryEntry,
  type FileErrorKind,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from './base/file-system.ts';
