import { StreamError } from '@millrace/core/connector';

/** What a Standard Schema v1 validation gives. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing wrong with a value. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * The part of the Standard Schema v1 interface that is used here; zod, valibot, arktype and others
 * have it.
 */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** A schema validates asynchronously, but records are decoded synchronously. */
export class AsyncSchemaError extends StreamError<{ vendor: string }> {
  static override readonly code = 'ASYNC_SCHEMA';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/**
 * The validated (perhaps transformed) value.
 *
 * @throws TypeError that names all issues
 * @throws AsyncSchemaError if the schema returns a promise
 */
export function validated<Output>(schema: StandardSchema<Output>, value: unknown): Output {
  const { vendor } = schema['~standard'];
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new AsyncSchemaError(
      `a schema of ${vendor} returned a promise`,
      { vendor },
      { hint: 'Leave out asynchronous refinements; look things up with mapAsync.' },
    );
  }
  if (result.issues === undefined) return result.value;
  throw new TypeError(result.issues.map(issueText).join('; '));
}

function issueText({ message, path }: StandardIssue): string {
  if (path === undefined || path.length === 0) return message;
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return `${keys.join('.')}: ${message}`;
}
