import { BlockCache } from './block-cache.ts';

// How much state stays in memory.
//
//     0 ........... half ............ limit ............ 1.25 limit
//     nothing       uses are noted    clean entries go,   and much of it dirty: tasks wait until
//     happens       (second chance)   dirty ones spill    what spills is sealed
//
// A quarter of the budget is for blocks of runs, the rest for entries: that is the limit.
//
// M1. Only between two records: no user function sees an entry go.
// M2. Nobody waits unless a spill is on its way whose end frees memory: what cannot be evicted
//     (windows, timers: tables whose index their owner keeps) makes nobody wait.

/** A store, as the budget sees it. */
export interface BudgetMember {
  /** All that it holds in memory, estimated. O(states). */
  residentBytes(): number;
  /** What could be evicted now. O(states). */
  evictableBytes(): number;
  /** What must be sealed before it can be evicted. O(segments). */
  dirtyBytes(): number;
  /** Whether a spill, or a snapshot that does the same, is being written. */
  isSpilling(): boolean;
  /** Whether to note which keys are used. */
  noteUse(isWanted: boolean): void;
  /** Looks at some keys and lets go of those that are clean and not in use. Cost: O(`keys`). */
  evictSome(keys: number): void;
  /** Begins to write what is dirty, so that it can be evicted; nothing if one is on its way. */
  spill(): void;
}

/** What is called when whoever waits may go on. */
export type OnRelief = () => void;

const CACHE_SHARE = 0.25;
/** Also the size if there is no limit. */
const MOST_CACHE_BYTES = 256 << 20;
const KEYS_PER_LOOK = 256;
/** So many looks per call, so that one call takes no longer than about a millisecond. */
const LOOKS_PER_CALL = 8;
/** Smaller spills would make too many runs. */
const SMALLEST_SPILL = 1 / 16;

/** The memory for state of one thread; shared by all its stores. */
export class MemoryBudget {
  /** Begun so far. */
  spills = 0;
  readonly cache: BlockCache;
  readonly #limitBytes: number;
  readonly #cacheBytes: number;
  readonly #members = new Set<BudgetMember>();
  readonly #waiting = new Set<OnRelief>();
  #share = 1;

  /** @param stateBytes for entries (by estimate) and blocks together; Infinity = never evict */
  constructor(stateBytes: number) {
    this.#cacheBytes = Math.min(stateBytes * CACHE_SHARE, MOST_CACHE_BYTES);
    this.#limitBytes = stateBytes - this.#cacheBytes;
    this.cache = new BlockCache(this.#cacheBytes);
  }

  /** The limit in force: the given one, or less while the real heap is fuller than estimated. */
  get limitBytes(): number {
    return this.#limitBytes * this.#share;
  }

  /** All stores of the thread. */
  get members(): Iterable<BudgetMember> {
    return this.#members;
  }

  get residentBytes(): number {
    return this.#sum((member) => member.residentBytes());
  }

  join(member: BudgetMember): void {
    this.#members.add(member);
  }

  leave(member: BudgetMember): void {
    this.#members.delete(member);
    this.wake();
  }

  /**
   * Corrects the estimate by what the host sees.
   *
   * @param heapShare how full the heap really is, 0 to 1
   */
  correct(heapShare: number): void {
    // 0.85: collections become frequent. It recovers slowly, as a collection makes the share jump.
    if (heapShare > 0.85) this.#share = Math.max(0.1, this.#share * 0.9);
    else if (heapShare < 0.7 && this.#share < 1) this.#share = Math.min(1, this.#share * 1.02);
    else return;
    this.cache.resize(this.#cacheBytes * this.#share);
  }

  /** Between two records or at the end of a turn. Cost: O(stores) while there is room. */
  relieve(): void {
    const limit = this.limitBytes;
    if (limit === Number.POSITIVE_INFINITY) return;
    let resident = this.residentBytes;
    for (const member of this.#members) member.noteUse(resident > limit / 2);
    for (let looks = 0; resident > limit && looks < LOOKS_PER_CALL; looks++) {
      const largest = this.#largest((member) => member.evictableBytes());
      if (largest === null) break;
      largest.evictSome(KEYS_PER_LOOK);
      resident = this.residentBytes;
    }
    if (resident <= limit) return;
    const dirtiest = this.#largest((member) => (member.isSpilling() ? 0 : member.dirtyBytes()));
    if (dirtiest === null || dirtiest.dirtyBytes() < limit * SMALLEST_SPILL) return;
    this.spills++;
    dirtiest.spill();
  }

  /** Whether a task should take nothing in until `onRelief`. M2. Cost: O(stores). */
  isExhausted(): boolean {
    const limit = this.limitBytes;
    if (limit === Number.POSITIVE_INFINITY || this.residentBytes <= 1.25 * limit) return false;
    const dirty = this.#sum((member) => (member.isSpilling() ? member.dirtyBytes() : 0));
    return dirty > limit / 4;
  }

  /** @returns call it to be told no more */
  onRelief(wake: OnRelief): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** Something was sealed, or a store has gone: evicts, and those who wait may look again. M1. */
  wake(): void {
    this.relieve();
    for (const wake of [...this.#waiting]) wake();
  }

  #sum(of: (member: BudgetMember) => number): number {
    let sum = 0;
    for (const member of this.#members) sum += of(member);
    return sum;
  }

  #largest(by: (member: BudgetMember) => number): BudgetMember | null {
    let largest: BudgetMember | null = null;
    let most = 0;
    for (const member of this.#members) {
      const bytes = by(member);
      if (bytes > most) {
        largest = member;
        most = bytes;
      }
    }
    return largest;
  }
}
