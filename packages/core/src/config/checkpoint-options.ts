import { type OptionSpec, resolveOptions } from './option.ts';

/** Longest time that timers take: about 24 days. */
const MS_MAX = 2 ** 31 - 1;

/** What happens to a job's checkpoints when it is cancelled or stops. */
export type CheckpointRetention = 'retain-on-cancellation' | 'delete-on-cancellation' | 'none';

/** Flink's checkpoint options, with Flink's meaning. Times in milliseconds. */
export interface CheckpointOptions {
  /** A path or URL; the job's own directory is made in it. */
  readonly directory: string;
  /** Between two triggers. Default 10 000. */
  readonly intervalMs?: number;
  /** Default `exactly-once`. */
  readonly mode?: 'exactly-once' | 'at-least-once';
  /** A checkpoint that takes longer is aborted. Default 600 000. */
  readonly timeoutMs?: number;
  /** From the completion of one to the trigger of the next. Default 0. */
  readonly minPauseMs?: number;
  /** Pending at the same time. Default 1. */
  readonly maxConcurrent?: number;
  /** Failed in a row before the job fails. Default 0. */
  readonly tolerableFailures?: number;
  /** Default `retain-on-cancellation`. */
  readonly retention?: CheckpointRetention;
  /** Complete checkpoints kept. Default 1. */
  readonly numRetained?: number;
  /** New state of so few bytes stands in the manifest. Default 16 384. */
  readonly inlineBytesMax?: number;
}

/** All options, with the defaults filled in. */
export type ResolvedCheckpointOptions = Required<CheckpointOptions>;

/** The options as data: names, ranges, defaults, docs. */
export const CHECKPOINT_OPTION_SPECS: readonly OptionSpec[] = [
  {
    name: 'directory',
    range: { kind: 'text' },
    fallback: undefined,
    doc: "A path or URL; the job's own directory is made in it.",
  },
  {
    name: 'intervalMs',
    range: { kind: 'number', min: 1, max: MS_MAX, integer: true, orInfinity: true },
    fallback: 10_000,
    doc: 'Between two triggers. Infinity: only when asked for.',
  },
  {
    name: 'mode',
    range: { kind: 'choice', values: ['exactly-once', 'at-least-once'] },
    fallback: 'exactly-once',
    doc:
      'at-least-once holds no input back while a checkpoint is taken, and may process records ' +
      'twice after a restore.',
  },
  {
    name: 'timeoutMs',
    range: { kind: 'number', min: 1, max: MS_MAX, integer: true, orInfinity: true },
    fallback: 600_000,
    doc: 'A checkpoint that not all tasks have acknowledged by then is aborted.',
  },
  {
    name: 'minPauseMs',
    range: { kind: 'number', min: 0, max: MS_MAX, integer: true },
    fallback: 0,
    doc: 'From the completion of one to the trigger of the next. Savepoints do not wait.',
  },
  {
    name: 'maxConcurrent',
    range: { kind: 'number', min: 1, max: 1_000, integer: true },
    fallback: 1,
    doc: 'Checkpoints under way at the same time. Savepoints go beyond it.',
  },
  {
    name: 'tolerableFailures',
    range: { kind: 'number', min: 0, max: MS_MAX, integer: true, orInfinity: true },
    fallback: 0,
    doc: 'So many checkpoints in a row may fail; one more fails the attempt.',
  },
  {
    name: 'retention',
    range: {
      kind: 'choice',
      values: ['retain-on-cancellation', 'delete-on-cancellation', 'none'],
    },
    fallback: 'retain-on-cancellation',
    doc:
      'What happens to checkpoints at the end. A stopped job always keeps its last one; one that ' +
      'finished or was cancelled only with retain-on-cancellation; a failed one unless none.',
  },
  {
    name: 'numRetained',
    range: { kind: 'number', min: 1, max: 10_000, integer: true },
    fallback: 1,
    doc: 'Complete checkpoints kept.',
  },
  {
    name: 'inlineBytesMax',
    range: { kind: 'number', min: 0, max: 65_536, integer: true },
    fallback: 16_384,
    doc:
      'What is new in a checkpoint stands in its manifest if it has no more bytes than this, and ' +
      'in a file of its own otherwise.',
  },
];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws InvalidOptionError
 */
export function resolveCheckpointOptions(given: CheckpointOptions): ResolvedCheckpointOptions {
  const resolved = resolveOptions('checkpoints', CHECKPOINT_OPTION_SPECS, given);
  // Every member is checked against a spec of the same name and type.
  return resolved as unknown as ResolvedCheckpointOptions;
}
