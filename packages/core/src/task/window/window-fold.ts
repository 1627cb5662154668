import type { WindowBody } from '../../graph/operator-spec.ts';

/** How the records of a window become one value, step by step: `reduce` and `aggregate` alike. */
export interface WindowFold {
  /** The accumulator of one record. */
  first(value: unknown): unknown;
  /** May change and return `accumulator`. */
  add(accumulator: unknown, value: unknown): unknown;
  /** An accumulator of no records; only where `merge` is used to build up a new one. */
  empty(): unknown;
  /** May change and return `a`, must leave `b` alone; null if two cannot become one. */
  readonly merge: ((a: unknown, b: unknown) => unknown) | null;
  /**
   * What is emitted.
   *
   * @param livesOn the accumulator stays and may be changed in place later: a result that is the
   * accumulator itself is copied then, since what was emitted belongs to its receivers
   */
  result(accumulator: unknown, livesOn: boolean): unknown;
}

/** @returns null for `collect`, which keeps the records instead */
export function foldOf(body: WindowBody): WindowFold | null {
  switch (body.kind) {
    case 'collect':
      return null;
    case 'reduce': {
      const { reduce } = body;
      return {
        first: (value) => value,
        add: reduce,
        empty: () => undefined,
        merge: reduce,
        result: (accumulator) => accumulator, // reduce makes new values, it changes none
      };
    }
    case 'aggregate': {
      const { aggregate } = body;
      return {
        first: (value) => aggregate.add(aggregate.create(), value),
        add: (accumulator, value) => aggregate.add(accumulator, value),
        empty: () => aggregate.create(),
        merge: aggregate.merge === undefined ? null : (a, b) => aggregate.merge!(a, b),
        result(accumulator, livesOn) {
          const result =
            aggregate.result === undefined ? accumulator : aggregate.result(accumulator);
          const shared = livesOn && result === accumulator;
          return shared && typeof result === 'object' ? structuredClone(result) : result;
        },
      };
    }
  }
}
