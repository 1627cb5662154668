import { draw, hashOf, mix32 } from '../nexmark/mixing.ts';

/** How often which key comes. */
export type Distribution = 'uniform' | 'zipf';

/** 2 ** 16 steps of a draw's upper half. */
const STEPS = 65_536;

/**
 * Draws one of `keys` ranks for an event. `zipf`: with exponent 1, so the share of the first r
 * ranks is ln(r + 1) / ln(keys): of a million keys the first thousand get a half. Hot ranks lie
 * scattered over all keys, because ids are hashes of ranks.
 *
 * `peers/flink/.../KeyDraw.java` is its twin. It gets `step` from here: powers may differ in their
 * last bit between machines, products do not.
 */
export class KeyDraw {
  readonly keys: number;
  readonly distribution: Distribution;
  /** keys ** (1 / 65 536). */
  readonly step: number;
  readonly #ranks = new Float64Array(STEPS + 1);

  constructor(keys: number, distribution: Distribution) {
    this.keys = keys;
    this.distribution = distribution;
    this.step = keys ** (1 / STEPS);
    let power = 1;
    for (let i = 0; i <= STEPS; i++) {
      this.#ranks[i] = Math.min(power - 1, keys - 1);
      power *= this.step;
    }
  }

  /** The rank for event `n`, 0-based. */
  rank(n: number): number {
    const chance = draw(hashOf(0x51ab, n), 1);
    if (this.distribution === 'uniform') return (chance >>> 1) % this.keys;
    const at = chance >>> 16;
    const low = this.#ranks[at]!;
    return Math.floor(low + ((this.#ranks[at + 1]! - low) * (chance & 0xffff)) / STEPS);
  }
}

/** The id of a rank: 32 bits, a different one for each rank. */
export function idOfRank(rank: number): number {
  return mix32(rank) >>> 0;
}
