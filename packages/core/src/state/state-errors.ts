import { StreamError } from '../base/errors.ts';

/** Stored state is of another kind than declared, or of a version without `migrate`. */
export class StateIncompatibleError extends StreamError<{
  operatorUid: string;
  state: string;
  reason: string;
}> {
  static override readonly code = 'STATE_INCOMPATIBLE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** Two states or tables of one operator cannot be told apart. */
export class DuplicateStateError extends StreamError<{ operatorUid: string; state: string }> {
  static override readonly code = 'DUPLICATE_STATE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** A keyed state was touched where no key is current. */
export class NoCurrentKeyError extends StreamError<{ operatorUid: string }> {
  static override readonly code = 'NO_CURRENT_KEY';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** The store was closed while a snapshot was being written. */
export class StateStoreClosedError extends StreamError<{ operatorUid: string }> {
  static override readonly code = 'STATE_STORE_CLOSED';
  static override readonly domain = 'internal';
  static override readonly retry = 'restart';
}

/** Bytes of a run are not those that were written. */
export class CorruptRunError extends StreamError<{
  file: string;
  offset: number;
  reason: string;
}> {
  static override readonly code = 'CORRUPT_RUN';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}

/** A run was written by a newer Millrace. */
export class UnknownRunVersionError extends StreamError<{ file: string; version: number }> {
  static override readonly code = 'UNKNOWN_RUN_VERSION';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** One entry, or the entries of one key group in one run, exceed what the format can hold. */
export class StateTooLargeError extends StreamError<{ what: string; bytes: number }> {
  static override readonly code = 'STATE_TOO_LARGE';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}
