import { InvalidOptionError } from '../base/invalid-option-error.ts';

/**
 * @param allowed the values that it may have, as text
 * @throws InvalidOptionError always
 */
export function refuseOption(option: string, value: unknown, allowed: string): never {
  throw new InvalidOptionError(option, value, `allows ${allowed}`, {
    hint: 'See docs/reference/configuration.md.',
  });
}
