import { StreamError } from '@millrace/core';

/** The command line cannot be understood. */
export class UsageError extends StreamError<{ command: string }> {
  static override readonly code = 'USAGE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The file given as a job cannot be loaded, or does not export a job. */
export class JobModuleError extends StreamError<{ file: string }> {
  static override readonly code = 'JOB_MODULE_INVALID';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** No running job answers to the name or process id. */
export class JobNotFoundError extends StreamError<{
  job: string | null;
  /** Nobody listens any more: the entry of the registry is stale. */
  isGone: boolean;
}> {
  static override readonly code = 'JOB_NOT_FOUND';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The running job was asked for something and answered with an error. */
export class RemoteCommandError extends StreamError<{
  job: string;
  command: string;
  remoteCode: string;
}> {
  static override readonly code = 'REMOTE_COMMAND_FAILED';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A new project cannot be put where it was asked for. */
export class ProjectFolderError extends StreamError<{ folder: string }> {
  static override readonly code = 'PROJECT_FOLDER_UNUSABLE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A directory does not hold the checkpoints that were asked for. */
export class CheckpointPlaceError extends StreamError<{ directory: string }> {
  static override readonly code = 'CHECKPOINTS_NOT_FOUND';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A checkpoint does not hold the operator, table or key that was asked for. */
export class StateNotFoundError extends StreamError<{
  checkpointId: number;
  operatorUid: string | null;
  table: string | null;
}> {
  static override readonly code = 'STATE_NOT_FOUND';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** `millrace sim` needs a package that is not installed. */
export class TestingMissingError extends StreamError<Record<never, never>> {
  static override readonly code = 'TESTING_MISSING';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}
