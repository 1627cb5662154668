import type { Random } from '@millrace/core/connector';

/**
 * Chance that depends on nothing but a seed and an index, so that record `index` is the same
 * whoever makes it and however often. Not for secrets.
 *
 * Source: mulberry32 (Tommy Ettinger), started from a murmur-finished mix of seed and index.
 */
export class IndexedRandom implements Random {
  readonly #seed: number;
  #state = 0;

  constructor(seed: number) {
    this.#seed = mix(seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) >>> 0);
  }

  /** Starts the sequence of one index. Cost: O(1). */
  startAt(index: number): this {
    const high = Math.floor(index / 2 ** 32);
    this.#state = mix(this.#seed ^ mix((index >>> 0) + Math.imul(high, 0x9e3779b1)));
    return this;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i++) {
      text += Math.floor(this.next() * 256)
        .toString(16)
        .padStart(2, '0');
    }
    return text;
  }
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
