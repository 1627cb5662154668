import { type OptionRange, type OptionSpec, resolveOptions } from './option.ts';
import { refuseOption } from './option-errors.ts';

/** Longest time that timers take: about 24 days. */
const MS_MAX = 2 ** 31 - 1;

/** What happens after a failure; Flink's strategies with Flink's meaning. */
export type RestartStrategy =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixedDelay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly kind: 'failureRate';
      readonly maxFailures: number;
      readonly intervalMs: number;
      readonly delayMs: number;
    }
  | {
      readonly kind: 'exponentialDelay';
      /** Default 1 000. */
      readonly initialDelayMs?: number;
      /** Default 60 000. */
      readonly maxDelayMs?: number;
      /** Default 1.5. */
      readonly multiplier?: number;
      /** Running so long without failure starts again at the initial delay. Default 3 600 000. */
      readonly resetAfterMs?: number;
      /** Random share added or taken, 0 to 1. Default 0.1. */
      readonly jitter?: number;
      /** Failures before the job fails for good. Default: no limit. */
      readonly attempts?: number;
    };

/** A strategy with the defaults filled in. */
export type ResolvedRestartStrategy =
  | Exclude<RestartStrategy, { kind: 'exponentialDelay' }>
  | Required<Extract<RestartStrategy, { kind: 'exponentialDelay' }>>;

const DELAY: OptionRange = { kind: 'number', min: 0, max: MS_MAX, integer: true };
const COUNT: OptionRange = { kind: 'number', min: 0, max: MS_MAX, integer: true, orInfinity: true };

/** The options of each kind as data. */
export const RESTART_OPTION_SPECS: Readonly<
  Record<RestartStrategy['kind'], readonly OptionSpec[]>
> = {
  none: [],
  fixedDelay: [
    { name: 'attempts', range: COUNT, fallback: undefined, doc: 'Restarts before the job fails.' },
    { name: 'delayMs', range: DELAY, fallback: undefined, doc: 'From failure to restart.' },
  ],
  failureRate: [
    {
      name: 'maxFailures',
      range: { kind: 'number', min: 1, max: MS_MAX, integer: true },
      fallback: undefined,
      doc: 'So many failures within `intervalMs` are survived; one more fails the job.',
    },
    {
      name: 'intervalMs',
      range: { kind: 'number', min: 1, max: MS_MAX, integer: true },
      fallback: undefined,
      doc: 'Over which failures are counted.',
    },
    { name: 'delayMs', range: DELAY, fallback: undefined, doc: 'From failure to restart.' },
  ],
  exponentialDelay: [
    {
      name: 'initialDelayMs',
      range: { kind: 'number', min: 1, max: MS_MAX, integer: true },
      fallback: 1_000,
      doc: 'From the first failure to its restart.',
    },
    {
      name: 'maxDelayMs',
      range: { kind: 'number', min: 1, max: MS_MAX, integer: true },
      fallback: 60_000,
      doc: 'The delay grows no further; at least `initialDelayMs`.',
    },
    {
      name: 'multiplier',
      range: { kind: 'number', min: 1, max: 1_000, integer: false },
      fallback: 1.5,
      doc: 'The next delay is so many times the last one.',
    },
    {
      name: 'resetAfterMs',
      range: { kind: 'number', min: 1, max: MS_MAX, integer: true },
      fallback: 3_600_000,
      doc: 'Running so long without failure starts again at the initial delay.',
    },
    {
      name: 'jitter',
      range: { kind: 'number', min: 0, max: 1, integer: false },
      fallback: 0.1,
      doc: 'Random share of the delay that is added or taken.',
    },
    {
      name: 'attempts',
      range: COUNT,
      fallback: Number.POSITIVE_INFINITY,
      doc: 'Restarts, without a reset between them, before the job fails.',
    },
  ],
};

/**
 * Checks a strategy and fills in the defaults.
 *
 * @param given undefined: exponential delay with its defaults
 * @throws InvalidOptionError
 */
export function resolveRestartStrategy(
  given: RestartStrategy = { kind: 'exponentialDelay' },
): ResolvedRestartStrategy {
  const specs = Object.hasOwn(RESTART_OPTION_SPECS, given.kind)
    ? RESTART_OPTION_SPECS[given.kind]
    : refuseOption(
        'restart.kind',
        given.kind,
        Object.keys(RESTART_OPTION_SPECS)
          .map((kind) => `"${kind}"`)
          .join(', '),
      );
  const { kind, ...options } = given;
  const resolved = resolveOptions('restart', specs, options);
  if (kind === 'exponentialDelay' && resolved.maxDelayMs! < resolved.initialDelayMs!) {
    refuseOption('restart.maxDelayMs', resolved.maxDelayMs, 'at least restart.initialDelayMs');
  }
  // Every member is checked against a spec of the same name and type.
  return { kind, ...resolved } as unknown as ResolvedRestartStrategy;
}
