import { resolve } from 'node:path';
import type { RunOptions } from '@millrace/core';
import { readArguments, usage, wholeNumber } from './arguments.ts';
import { parseByteSize } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { defaultCheckpointDirectory } from './job-file.ts';
import { parseRestart } from './restart-argument.ts';

const command = 'run';

/** The options of `millrace run`. Each is described in docs/reference/cli.md. */
export const runOptionSpecs = {
  from: { type: 'string' },
  param: { type: 'string', multiple: true },
  'checkpoint-dir': { type: 'string' },
  'state-memory': { type: 'string' },
  parallelism: { type: 'string' },
  'max-parallelism': { type: 'string' },
  interval: { type: 'string' },
  retain: { type: 'string' },
  'tolerable-failures': { type: 'string' },
  'inline-bytes': { type: 'string' },
  restart: { type: 'string' },
  'restore-mode': { type: 'string' },
  'allow-duplicates': { type: 'boolean' },
  'allow-dropped-state': { type: 'boolean' },
  'assume-single-writer': { type: 'boolean' },
  standby: { type: 'boolean' },
  quiet: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** A `run` command line, understood. */
export interface RunArguments {
  /** The job's file, absolute. */
  readonly file: string;
  readonly options: RunOptions;
  readonly checkpointDirectory: string;
  /** Whether the directory was chosen by us: then the user is told. */
  readonly isDefaultDirectory: boolean;
  readonly display: 'live' | 'quiet' | 'json';
}

/** @throws UsageError */
export function readRunArguments(args: readonly string[], workingDirectory: string): RunArguments {
  const { values, positionals } = readArguments(command, args, ['job.ts'], runOptionSpecs);
  const file = resolve(workingDirectory, positionals[0]!);
  if (values.quiet && values.json) throw usage(command, '--quiet and --json exclude each other');
  const given = values['checkpoint-dir'];
  const directory =
    given === undefined ? defaultCheckpointDirectory(file) : location(given, workingDirectory);
  const intervalMs = duration('interval', values.interval);
  const retain = wholeNumber(command, 'retain', values.retain, 1);
  const tolerable = wholeNumber(command, 'tolerable-failures', values['tolerable-failures'], 0);
  const inlineBytesMax = wholeNumber(command, 'inline-bytes', values['inline-bytes'], 0);
  const parallelism = wholeNumber(command, 'parallelism', values.parallelism, 1);
  const max = wholeNumber(command, 'max-parallelism', values['max-parallelism'], 1);
  const options: RunOptions = {
    parameters: readParameters(command, values.param ?? []),
    checkpoints: {
      directory,
      ...(intervalMs === undefined ? {} : { intervalMs }),
      ...(retain === undefined ? {} : { numRetained: retain }),
      ...(tolerable === undefined ? {} : { tolerableFailures: tolerable }),
      ...(inlineBytesMax === undefined ? {} : { inlineBytesMax }),
    },
    ...stateMemory(values['state-memory']),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(max === undefined ? {} : { maxParallelism: max }),
    ...(values.restart === undefined ? {} : { restart: parseRestart(values.restart) }),
    ...(values.from === undefined ? {} : { from: readFrom(values.from, workingDirectory) }),
    ...restoreMode(values['restore-mode']),
    ...(values['allow-duplicates'] ? { allowDuplicates: true } : {}),
    ...(values['allow-dropped-state'] ? { allowDroppedState: true } : {}),
    ...(values['assume-single-writer'] ? { assumeSingleWriter: true } : {}),
    ...(values.standby ? { standby: true } : {}),
  };
  return {
    file,
    options,
    checkpointDirectory: directory,
    isDefaultDirectory: given === undefined,
    display: values.json ? 'json' : values.quiet ? 'quiet' : 'live',
  };
}

function stateMemory(given: string | undefined): Pick<RunOptions, 'memory'> {
  if (given === undefined) return {};
  const stateBytes = parseByteSize(given);
  if (stateBytes !== null && stateBytes > 0) return { memory: { stateBytes } };
  throw usage(command, `--state-memory takes a size such as 256mb or 2gb, not "${given}"`);
}

function restoreMode(given: string | undefined): Pick<RunOptions, 'restoreMode'> {
  if (given === undefined) return {};
  if (given === 'claim' || given === 'no-claim') return { restoreMode: given };
  throw usage(command, `--restore-mode is claim or no-claim, not "${given}"`);
}

/**
 * `key=value` pairs; the value may hold further `=`.
 *
 * @throws UsageError
 */
export function readParameters(command: string, pairs: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw usage(command, `--param takes key=value, not "${pair}"`);
    parameters[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return parameters;
}

/**
 * The command that goes on where a stopped job stopped: the same line without `--from`, because
 * the latest checkpoint is where a run begins by itself.
 */
export function resumeCommand(args: readonly string[]): string {
  const kept: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    if (word === '--from' || word === '--restore-mode') index++;
    else if (!/^--(from=|restore-mode=|allow-duplicates$)/.test(word)) kept.push(word);
  }
  return ['npx millrace run', ...kept.map(shellQuoted)].join(' ');
}

/** A path becomes absolute; a URL stays. */
export function location(text: string, workingDirectory: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : resolve(workingDirectory, text);
}

function readFrom(text: string, workingDirectory: string): string {
  return text === 'latest' || text === 'none' ? text : location(text, workingDirectory);
}

function duration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== null && milliseconds > 0) return milliseconds;
  throw usage(command, `--${option} takes a time such as 500ms, 10s or 5m, not "${text}"`);
}

/** A word as a POSIX shell must be given it. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
