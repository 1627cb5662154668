import { StreamError } from '../base/errors.ts';

/** The graph of a job breaks a rule; found before anything runs. */
export class InvalidJobError extends StreamError<{ job: string; operatorUid?: string }> {
  static override readonly code = 'INVALID_JOB';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** Two operators of a job have one uid, so their state could not be told apart. */
export class DuplicateUidError extends StreamError<{ job: string; operatorUid: string }> {
  static override readonly code = 'DUPLICATE_UID';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A job's function built two different graphs from the same parameters. */
export class NonDeterministicJobError extends StreamError<{
  job: string;
  fingerprints: readonly [string, string];
}> {
  static override readonly code = 'NON_DETERMINISTIC_JOB';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}
