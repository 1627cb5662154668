import type { KeyIdentity } from '../element/key.ts';

/** One `Map` throws at 2^24 entries; growing it stalls for a second long before. */
const ENTRIES_PER_MAP = 1 << 22;

/** From key to slot, without the limit of one `Map`. */
export class KeyIndex {
  readonly #maps: Map<KeyIdentity, number>[] = [new Map()];

  /** Cost: one look-up per 4 million keys. */
  get(identity: KeyIdentity): number | undefined {
    for (const map of this.#maps) {
      const slot = map.get(identity);
      if (slot !== undefined) return slot;
    }
    return undefined;
  }

  /** Precondition: not there. */
  add(identity: KeyIdentity, slot: number): void {
    let map = this.#maps.find(({ size }) => size < ENTRIES_PER_MAP);
    if (map === undefined) {
      map = new Map();
      this.#maps.push(map);
    }
    map.set(identity, slot);
  }

  delete(identity: KeyIdentity): void {
    for (const map of this.#maps) if (map.delete(identity)) return;
  }
}
