/** A promise that somebody else settles. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  /** The first call of `resolve` or `reject` counts. */
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** @returns an open promise with its two ends */
export function createDeferred<T>(): Deferred<T> {
  return Promise.withResolvers<T>();
}
