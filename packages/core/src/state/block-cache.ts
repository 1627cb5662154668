import { assert } from '../base/assert.ts';

/** Whoever holds something that is in the cache. */
export interface CacheOwner {
  /** The thing of that number was evicted: let it go. Not called for `remove`. */
  evicted(index: number): void;
}

/**
 * Decides what of many things stays in memory, for all operators of a thread; the things are with
 * their owners. A clock (second chance): a hand goes round, takes away a chance from what it
 * passes, and evicts what has none left and is not pinned.
 *
 *   add --touch--> has chances --hand--> fewer chances --hand, none left--> evicted
 *
 * B1. `usedBytes` <= `budgetBytes`, except for what is pinned and the one that was added last.
 * B2. What is pinned, and what was added last, is not evicted.
 */
export class BlockCache {
  hits = 0;
  misses = 0;
  evictions = 0;
  #budgetBytes: number;
  #usedBytes = 0;
  readonly #owners: (CacheOwner | null)[] = [];
  readonly #free: number[] = [];
  #indexes = new Int32Array(64);
  #bytes = new Uint32Array(64);
  #chances = new Uint8Array(64);
  #pins = new Uint32Array(64);
  #hand = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Changes the budget; evicts at once if it is less now. */
  resize(budgetBytes: number): void {
    this.#budgetBytes = budgetBytes;
    this.#evict(-1);
  }

  /**
   * Takes in a thing. What is read once and not touched again goes in the hand's first round, so a
   * scan does not drive out what is used.
   *
   * @returns the slot under which it is known until it is evicted or removed
   *
   * Cost: amortised O(1); the owners of what has to go are called.
   */
  add(owner: CacheOwner, index: number, bytes: number): number {
    const slot = this.#free.pop() ?? this.#owners.length;
    if (slot === this.#indexes.length) this.#grow();
    this.#owners[slot] = owner;
    this.#indexes[slot] = index;
    this.#bytes[slot] = bytes;
    this.#chances[slot] = 0;
    this.#pins[slot] = 0;
    this.#usedBytes += bytes;
    this.#evict(slot);
    return slot;
  }

  /** It was used: the hand spares it so many times (to 255). */
  touch(slot: number, chances = 1): void {
    this.#chances[slot] = chances;
  }

  /** It stays until it is unpinned as often. */
  pin(slot: number): void {
    this.#pins[slot]!++;
  }

  unpin(slot: number): void {
    if (this.#pins[slot]! > 0) this.#pins[slot]!--;
  }

  /** Its owner has let it go. */
  remove(slot: number): void {
    assert(this.#owners[slot] !== null, 'only what is in the cache is removed');
    this.#owners[slot] = null;
    this.#usedBytes -= this.#bytes[slot]!;
    this.#free.push(slot);
  }

  #evict(spared: number): void {
    // Two rounds for each chance would do; more finds nothing but pinned things.
    let steps = this.#usedBytes > this.#budgetBytes ? this.#owners.length * 6 : 0;
    while (this.#usedBytes > this.#budgetBytes && steps-- > 0) {
      const slot = this.#hand;
      this.#hand = slot + 1 < this.#owners.length ? slot + 1 : 0;
      const owner = this.#owners[slot]!;
      if (owner === null || slot === spared || this.#pins[slot]! > 0) continue;
      if (this.#chances[slot]! > 0) {
        this.#chances[slot]!--;
        continue;
      }
      const index = this.#indexes[slot]!;
      this.remove(slot);
      this.evictions++;
      owner.evicted(index);
    }
  }

  #grow(): void {
    const capacity = this.#indexes.length * 2;
    const indexes = new Int32Array(capacity);
    const bytes = new Uint32Array(capacity);
    const chances = new Uint8Array(capacity);
    const pins = new Uint32Array(capacity);
    indexes.set(this.#indexes);
    bytes.set(this.#bytes);
    chances.set(this.#chances);
    pins.set(this.#pins);
    this.#indexes = indexes;
    this.#bytes = bytes;
    this.#chances = chances;
    this.#pins = pins;
  }
}
