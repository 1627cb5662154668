import { messageOf, StreamError } from '../base/errors.ts';

/** A user's function threw. */
export class UserFunctionError extends StreamError<{
  operatorUid: string;
  subtaskIndex: number;
  origin: string | null;
}> {
  static override readonly code = 'USER_FUNCTION_FAILED';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/**
 * What a failure inside the chain is reported as: errors of Millrace pass as they are, anything
 * else came out of a user's function.
 *
 * @param origin where the record stood in its source, if known
 */
export function attributeFailure(
  error: unknown,
  operatorUid: string,
  subtaskIndex: number,
  origin: string | null,
): StreamError {
  if (error instanceof StreamError) return error;
  const where = origin === null ? '' : ` at ${origin}`;
  return new UserFunctionError(
    `operator "${operatorUid}" (subtask ${subtaskIndex}) failed${where}: ${messageOf(error)}`,
    { operatorUid, subtaskIndex, origin },
    {
      cause: error,
      hint: 'Fix the function, or let it skip or side-output the records it cannot handle.',
    },
  );
}
