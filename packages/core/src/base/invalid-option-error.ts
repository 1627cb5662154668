import { StreamError, type StreamErrorOptions } from './errors.ts';

/** An option, of the run or of an operator, makes no sense; found before anything runs. */
export class InvalidOptionError extends StreamError<{ option: string; value: unknown }> {
  static override readonly code = 'INVALID_OPTION';
  static override readonly domain = 'user';
  static override readonly retry = 'never';

  /** @param rule what the option must be, as the middle of a sentence: `must be 1 or more` */
  constructor(option: string, value: unknown, rule: string, options: StreamErrorOptions = {}) {
    const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
    super(`option "${option}" ${rule}, but is ${shown}`, { option, value }, options);
  }
}
