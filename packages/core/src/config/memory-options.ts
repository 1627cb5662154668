import { type OptionSpec, resolveOptions } from './option.ts';

/** How much memory a job may use for its state. */
export interface MemoryOptions {
  /**
   * Bytes of the heap for entries of state, and for blocks of runs. What does not fit is read when
   * it is needed. Default: half of the heap limit, at most 40 % of the machine or container.
   */
  readonly stateBytes?: number;
}

/** The options as data: names, ranges, defaults, docs. */
export const MEMORY_OPTION_SPECS: readonly OptionSpec[] = [
  {
    name: 'stateBytes',
    range: {
      kind: 'number',
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      integer: true,
      orInfinity: true,
    },
    fallback: 'half of the heap limit, at most 40 % of the machine or container',
    doc:
      'Memory for keyed state: entries, by estimate, and blocks of runs. What does not fit is ' +
      'written into runs, evicted, and read when it is needed. Infinity: everything stays.',
  },
];

/**
 * Checks the options.
 *
 * @returns null if nothing is said: the host chooses
 * @throws InvalidOptionError
 */
export function resolveStateBytes(options: MemoryOptions = {}): number | null {
  const isGiven = options.stateBytes !== undefined;
  const checked = isGiven ? options : { ...options, stateBytes: 1 };
  const { stateBytes } = resolveOptions('memory', MEMORY_OPTION_SPECS, checked);
  return isGiven ? (stateBytes as number) : null; // the spec allows numbers only
}
