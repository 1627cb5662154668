// A Bloom filter over keys as bytes: says for sure that a key is absent, or that it may be there.

const BITS_PER_KEY = 10;
const HASHES = 7;

/** Murmur-like hash of a key, 32 bits. Part of the stored format. */
export function bloomHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x9747b28c;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0xcc9e2d51);
    hash = ((hash << 15) | (hash >>> 17)) ^ (hash >>> 3);
  }
  hash ^= end - start;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The stored form: hashes u8, bits u32 (little endian), bit bytes. */
export function buildBloomFilter(hashes: readonly number[]): Uint8Array {
  const bits = Math.max(64, Math.ceil((hashes.length * BITS_PER_KEY) / 8) * 8);
  const filter = new Uint8Array(5 + bits / 8);
  filter[0] = HASHES;
  new DataView(filter.buffer).setUint32(1, bits, true);
  for (const hash of hashes) {
    const step = (hash >>> 17) | (hash << 15) | 1;
    let position = hash;
    for (let i = 0; i < HASHES; i++) {
      const bit = (position >>> 0) % bits;
      filter[5 + (bit >>> 3)]! |= 1 << (bit & 7);
      position = (position + step) | 0;
    }
  }
  return filter;
}

/** A stored filter, where it stands. */
export class BloomFilter {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #hashes: number;
  readonly #bits: number;

  /**
   * @param at where the stored form begins; it reaches to `end`
   * @throws RangeError if it does not
   */
  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#start = at + 5;
    this.#hashes = bytes[at]!;
    this.#bits = bytes.readUInt32LE(at + 1);
    if (this.#bits === 0 || this.#start + this.#bits / 8 !== end) {
      throw new RangeError('the length of a filter');
    }
  }

  /** @returns false only if no key of that hash was put in. Cost: some 50 ns */
  mayContain(hash: number): boolean {
    const bytes = this.#bytes;
    const step = (hash >>> 17) | (hash << 15) | 1;
    let position = hash;
    for (let i = 0; i < this.#hashes; i++) {
      const bit = (position >>> 0) % this.#bits;
      if ((bytes[this.#start + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      position = (position + step) | 0;
    }
    return true;
  }
}
