import type { Sink } from '@millrace/core/connector';

/** How many results there were, and a sum over them: both sides must come to the same. */
export class Tally {
  results = 0;
  sum = 0;

  add(value: number): void {
    this.results++;
    this.sum += value;
  }

  equals(other: Tally): boolean {
    return this.results === other.results && this.sum === other.sum;
  }
}

/** A sink that only counts, so that the figures hold no cost of writing. */
export function tallySink<T>(tally: Tally, weightOf: (value: T) => number): Sink<T> {
  return {
    name: 'tally',
    delivery: 'at-least-once',
    createWriter: () => ({
      write: (value) => tally.add(weightOf(value)),
      ready: () => null,
      prepareCommit: () => async () => ({ committables: [], writerStates: [] }),
      close: async () => {},
    }),
  };
}
