import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './command-errors.ts';
import { nearestWord } from './nearest-word.ts';

/** The options a command knows, as for `parseArgs` of node:util. */
export type OptionSpecs = NonNullable<ParseArgsConfig['options']>;

/** What was given: positional arguments in order, options by name. */
export type GivenArguments<O extends OptionSpecs> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>;

/**
 * Reads the arguments of one command.
 *
 * @param positionals names of the positional arguments; one in brackets (`[job]`) may be left out
 * @throws UsageError on unknown options, missing values, too few or too many arguments
 */
export function readArguments<const O extends OptionSpecs>(
  command: string,
  args: readonly string[],
  positionals: readonly string[],
  options: O,
): GivenArguments<O> {
  const given = parsed(command, args, options);
  const required = positionals.filter((name) => !name.startsWith('['));
  const missing = required[given.positionals.length];
  if (missing !== undefined) throw usage(command, `${missing} is missing`);
  const extra = given.positionals[positionals.length];
  if (extra !== undefined) throw usage(command, `"${extra}" is one argument too many`);
  return given;
}

/** A whole number of at least `least`; undefined if the option was not given. */
export function wholeNumber(
  command: string,
  option: string,
  text: string | undefined,
  least: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value;
  throw usage(command, `--${option} takes a whole number of at least ${least}, not "${text}"`);
}

/** @returns the error for a command line that cannot be understood; it names the help to read */
export function usage(command: string, message: string): UsageError {
  const help = command === '' ? 'npx millrace help' : `npx millrace help ${command}`;
  const prefix = command === '' ? '' : `millrace ${command}: `;
  return new UsageError(`${prefix}${message}`, { command }, { hint: `See "${help}".` });
}

function parsed<const O extends OptionSpecs>(
  command: string,
  args: readonly string[],
  options: O,
): GivenArguments<O> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!(error instanceof Error) || !code.startsWith('ERR_PARSE_ARGS_')) throw error;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const wrong = /'-{1,2}([^']*)'/.exec(error.message)?.[1] ?? '';
      const meant = nearestWord(wrong, Object.keys(options));
      const more = meant === null ? '' : `; did you mean --${meant}?`;
      throw usage(command, `unknown option '--${wrong}'${more}`);
    }
    // Node adds advice about `--` that fits few cases; its first sentence says what is wrong.
    throw usage(command, error.message.split('. ')[0]!.replace(/\.$/, ''));
  }
}
