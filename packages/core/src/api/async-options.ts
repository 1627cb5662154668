import type { AsyncFunctionOptions } from '../function/process-function.ts';
import { InvalidOptionError } from '../base/invalid-option-error.ts';

/** @throws InvalidOptionError */
export function checkAsyncOptions<In, Out>(options: AsyncFunctionOptions<In, Out>): void {
  const { capacity, timeoutMs, onTimeout, fallback, retry } = options;
  if (capacity !== undefined && !(Number.isInteger(capacity) && capacity >= 1)) {
    throw new InvalidOptionError('capacity', capacity, 'must be a whole number, 1 or more');
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new InvalidOptionError('timeoutMs', timeoutMs, 'must be above 0');
  }
  if (onTimeout !== undefined && timeoutMs === undefined) {
    throw new InvalidOptionError('onTimeout', onTimeout, 'needs timeoutMs');
  }
  if ((onTimeout === 'fallback') !== (fallback !== undefined)) {
    throw new InvalidOptionError('fallback', onTimeout, "goes with onTimeout: 'fallback'");
  }
  if (retry === undefined) return;
  if (!(Number.isInteger(retry.maxAttempts) && retry.maxAttempts >= 1)) {
    throw new InvalidOptionError('retry.maxAttempts', retry.maxAttempts, 'must be 1 or more');
  }
  if (!(retry.delayMs >= 0)) {
    throw new InvalidOptionError('retry.delayMs', retry.delayMs, 'must be 0 or more');
  }
  if (retry.multiplier !== undefined && !(retry.multiplier > 0)) {
    throw new InvalidOptionError('retry.multiplier', retry.multiplier, 'must be above 0');
  }
}
