import { refuseOption } from './option-errors.ts';

/** What values an option may have. `Infinity` is allowed only where `orInfinity` says so. */
export type OptionRange =
  | { readonly kind: 'text' }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly integer: boolean;
      readonly orInfinity?: boolean;
    };

/** One option as data: for checks, and for docs/reference/configuration.md. */
export interface OptionSpec {
  readonly name: string;
  readonly range: OptionRange;
  /** undefined: must be given. */
  readonly fallback: number | string | undefined;
  /** One or two sentences; the unit is in the name. */
  readonly doc: string;
}

/** The range in words, for messages and the reference page. */
export function describeRange(range: OptionRange): string {
  switch (range.kind) {
    case 'text':
      return 'a text that is not empty';
    case 'choice':
      return range.values.map((value) => `"${value}"`).join(', ');
    case 'number': {
      const { min, max, integer, orInfinity } = range;
      const kind = integer ? 'a whole number' : 'a number';
      const bounds = max === Number.POSITIVE_INFINITY ? `${min} or more` : `${min} to ${max}`;
      return `${kind}, ${bounds}${orInfinity ? ', or Infinity' : ''}`;
    }
  }
}

/**
 * Checks all options of a group and fills in the defaults.
 *
 * @param group goes before the option's name in messages, for example `checkpoints`
 * @param given must not have an option that the specs do not have
 * @throws InvalidOptionError
 */
export function resolveOptions(
  group: string,
  specs: readonly OptionSpec[],
  given: object,
): Record<string, number | string> {
  const values = new Map<string, unknown>(Object.entries(given));
  const resolved: Record<string, number | string> = {};
  for (const { name, range, fallback } of specs) {
    const value = values.get(name) ?? fallback;
    values.delete(name);
    if (!isIn(value, range)) refuseOption(`${group}.${name}`, value, describeRange(range));
    resolved[name] = value;
  }
  for (const [name, value] of values) {
    if (value === undefined) continue;
    refuseOption(`${group}.${name}`, value, `only ${specs.map((spec) => spec.name).join(', ')}`);
  }
  return resolved;
}

function isIn(value: unknown, range: OptionRange): value is number | string {
  switch (range.kind) {
    case 'text':
      return typeof value === 'string' && value !== '';
    case 'choice':
      return typeof value === 'string' && range.values.includes(value);
    case 'number':
      if (typeof value !== 'number' || Number.isNaN(value)) return false;
      if (value === Number.POSITIVE_INFINITY) return range.orInfinity === true;
      return (
        value >= range.min && value <= range.max && (!range.integer || Number.isInteger(value))
      );
  }
}
