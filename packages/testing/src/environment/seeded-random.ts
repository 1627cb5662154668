import type { Random } from '@millrace/core/host';

/**
 * A random source that gives the same numbers for the same seed, on every machine.
 *
 * Source: sfc32 by Chris Doty-Humphrey (PractRand), seeded through murmur-like mixing of the text.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any number or text; two different ones give unrelated sequences */
  constructor(seed: number | string) {
    const text = `${typeof seed}:${seed}`;
    this.#a = mix(text, 0x9e3779b9);
    this.#b = mix(text, 0x243f6a88);
    this.#c = mix(text, 0xb7e15162);
    for (let i = 0; i < 12; i++) this.#next32();
  }

  next(): number {
    return (this.#next32() >>> 5) / 2 ** 27;
  }

  hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i++) text += this.below(256).toString(16).padStart(2, '0');
    return text;
  }

  /** Uniform integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  #next32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

function mix(text: string, start: number): number {
  let hash = start | 0;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
