import { StreamError } from '../base/errors.ts';

/** An option has a value that it may not have. */
export class InvalidOptionError extends StreamError<{
  option: string;
  value: unknown;
  allowed: string;
}> {
  static override readonly code = 'INVALID_OPTION';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** @throws InvalidOptionError always */
export function refuseOption(option: string, value: unknown, allowed: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  throw new InvalidOptionError(
    `option "${option}" is ${shown}, allowed: ${allowed}`,
    { option, value, allowed },
    { hint: 'See docs/reference/configuration.md.' },
  );
}
