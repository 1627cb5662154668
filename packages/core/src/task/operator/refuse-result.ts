import { promiseInSyncFunction } from '../chain/operator-inputs.ts';

/**
 * A callback that should return nothing returned something: harmless (a one-line arrow function
 * returns what its last call does), unless it is a promise, whose rest would run outside its turn.
 *
 * @throws PromiseInSyncFunctionError
 */
export function refuseResult(result: unknown, operatorUid: string): void {
  if (isPromise(result)) throw promiseInSyncFunction(operatorUid);
}

/** Whether a value can be awaited. Cost: one property look-up for objects. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
