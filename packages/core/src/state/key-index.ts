import type { KeyIdentity } from '../element/key.ts';

/** One `Map` throws at 2^24 entries; growing it stalls for a second long before. */
const ENTRIES_PER_MAP = 1 << 22;

/** From key to slot, without the limit of one `Map`. */
export class KeyIndex {
  readonly #first = new Map<KeyIdentity, number>();
  /** In use only beyond the first 4 million keys. */
  readonly #more: Map<KeyIdentity, number>[] = [];

  /** Cost: one look-up per 4 million keys. */
  get(identity: KeyIdentity): number | undefined {
    const slot = this.#first.get(identity);
    return slot !== undefined || this.#more.length === 0 ? slot : this.#getMore(identity);
  }

  /** Precondition: not there. */
  add(identity: KeyIdentity, slot: number): void {
    if (this.#first.size < ENTRIES_PER_MAP) {
      this.#first.set(identity, slot);
      return;
    }
    let map = this.#more.find(({ size }) => size < ENTRIES_PER_MAP);
    if (map === undefined) {
      map = new Map();
      this.#more.push(map);
    }
    map.set(identity, slot);
  }

  delete(identity: KeyIdentity): void {
    if (this.#first.delete(identity)) return;
    for (const map of this.#more) if (map.delete(identity)) return;
  }

  #getMore(identity: KeyIdentity): number | undefined {
    for (const map of this.#more) {
      const slot = map.get(identity);
      if (slot !== undefined) return slot;
    }
    return undefined;
  }
}
