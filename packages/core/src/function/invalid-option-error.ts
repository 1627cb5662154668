import { StreamError } from '../base/errors.ts';

/** An operator was given an option that makes no sense; found before anything runs. */
export class InvalidOptionError extends StreamError<{ option: string; value: unknown }> {
  static override readonly code = 'INVALID_OPTION';
  static override readonly domain = 'user';
  static override readonly retry = 'never';

  /** @param rule what the option must be, as the end of a sentence: `must be 1 or more` */
  constructor(option: string, value: unknown, rule: string) {
    super(`option ${option} ${rule}, but is ${String(value)}`, { option, value });
  }
}
