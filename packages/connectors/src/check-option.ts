import { InvalidOptionError } from '@millrace/core/connector';

/**
 * A number that may be left out.
 *
 * @throws InvalidOptionError unless it is left out or at least `min` (Infinity is)
 */
export function checkNumber(option: string, value: number | undefined, min: number): void {
  if (value === undefined || value >= min) return;
  throw new InvalidOptionError(option, value, `must be ${min} or more`);
}

/** @throws InvalidOptionError unless it is left out or a whole number of at least `min` */
export function checkCount(option: string, value: number | undefined, min: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min)) return;
  throw new InvalidOptionError(option, value, `must be a whole number of ${min} or more`);
}

/** @throws InvalidOptionError unless it is a text with something in it */
export function checkText(option: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw new InvalidOptionError(option, value, 'must be a text that is not empty');
}
