import type { Sink } from '@millrace/core/connector';

/** Results between two milestones. */
const MILESTONE = 50_000;

/**
 * A running hash over results in their order, noted every 50 000 of them: two runs that stopped at
 * different places can still be compared as far as both went.
 */
export class ResultHash {
  results = 0;
  hash = 0;
  readonly milestones: number[] = [];

  /** Takes the hash that one more result has led to. */
  moveTo(hash: number): void {
    this.hash = hash;
    if (++this.results % MILESTONE === 0) this.milestones.push(hash);
  }
}

/** Whether two lists of milestones agree as far as both go; `none` if one of them has none. */
export function agreement(
  ours: readonly number[],
  theirs: readonly number[],
): 'agree' | 'differ' | 'none' {
  const common = Math.min(ours.length, theirs.length);
  if (common === 0) return 'none';
  return ours[common - 1] === theirs[common - 1] ? 'agree' : 'differ';
}

/** A sink that only hashes, so that the figures hold no cost of writing. */
export function hashSink<T>(results: ResultHash, add: (hash: number, value: T) => number): Sink<T> {
  return {
    name: 'hash',
    delivery: 'at-least-once',
    createWriter: () => ({
      write: (value) => results.moveTo(add(results.hash, value)),
      ready: () => null,
      prepareCommit: () => async () => ({ committables: [], writerStates: [] }),
      close: async () => {},
    }),
  };
}
