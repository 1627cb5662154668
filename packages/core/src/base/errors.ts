/** Who can fix an error: the author of the job, the operator of a foreign system, or Millrace. */
export type ErrorDomain = 'user' | 'external' | 'internal';

/**
 * What the runtime may do about an error: `never` fails the job at once, `backoff` repeats the
 * one call that failed, `restart` restores the job from its latest checkpoint.
 */
export type RetryHint = 'never' | 'backoff' | 'restart';

/** Extra facts of a `StreamError`: its cause, and one sentence that says what to do. */
export interface StreamErrorOptions {
  readonly cause?: unknown;
  readonly hint?: string;
}

/**
 * Base of every error that Millrace raises on purpose.
 *
 * Each subclass is one cause and has a stable `code` of its own. The message is lower case, without
 * a full stop, and says what and where; `details` holds the same facts as data; `hint` says how to
 * fix it. Every subclass is listed in docs/reference/errors.md (checked by a test).
 */
export abstract class StreamError<Details extends object = object> extends Error {
  static readonly code: string = 'STREAM_ERROR';
  static readonly domain: ErrorDomain = 'internal';
  static readonly retry: RetryHint = 'never';

  readonly details: Details;
  readonly hint: string | undefined;

  constructor(message: string, details: Details, options: StreamErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.details = details;
    this.hint = options.hint;
    this.name = new.target.name;
  }

  /** The class's stable code, for example `STATE_INCOMPATIBLE`. */
  get code(): string {
    return (this.constructor as typeof StreamError).code;
  }

  /** Who can fix it. */
  get domain(): ErrorDomain {
    return (this.constructor as typeof StreamError).domain;
  }

  /** What the runtime may do about it. */
  get retry(): RetryHint {
    return (this.constructor as typeof StreamError).retry;
  }
}

/** The one-line text of any thrown value. Cost: O(length). */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
