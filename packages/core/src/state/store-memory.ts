import type { Environment } from '../base/environment.ts';
import { messageOf, StreamError } from '../base/errors.ts';
import type { EntryReader } from './entry-reader.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { KeySlots } from './key-slots.ts';
import type { BudgetMember, MemoryBudget } from './memory-budget.ts';
import type { Segment } from './segment.ts';

/** A failed spill is tried again after so long. */
const RETRY_MS = 1_000;
/** How long slots that have become free may hold up the data path at a time. */
const SLICE_MS = 1;

/** What the memory of a store is made from. */
export interface StoreMemoryOptions {
  readonly environment: Environment;
  readonly operatorUid: string;
  readonly keys: KeySlots;
  readonly log: DirtyLog;
  readonly cold: EntryReader;
  readonly budget: MemoryBudget;
  /** Bytes of all values and entries in memory. */
  readonly heldBytes: () => number;
  readonly persist: (segment: Segment) => Promise<unknown>;
  /** Dirty state cannot be written and never will be. */
  readonly fail: (error: unknown) => void;
}

/** A store's part in the memory budget: lets clean keys go, writes dirty ones as a run. */
export class StoreMemory implements BudgetMember {
  spills = 0;
  readonly #options: StoreMemoryOptions;
  #isSpilling = false;
  #isClosed = false;
  #isReleasing = false;
  /** Looks since a slot went: a round in vain is not repeated before something changes. */
  #looksInVain = 0;
  #changedAt = -1;

  constructor(options: StoreMemoryOptions) {
    this.#options = options;
    options.budget.join(this);
  }

  residentBytes(): number {
    const { keys, log, heldBytes } = this.#options;
    let streams = log.open.stream.bytes;
    for (const segment of log.chain) streams += segment.stream.bytes + (segment.run?.length ?? 0);
    return keys.bytes + heldBytes() + streams;
  }

  evictableBytes(): number {
    const { keys, log } = this.#options;
    if (this.#isHopeless()) return 0;
    return Math.max(0, keys.bytes + this.#options.heldBytes() - log.dirtyBytes);
  }

  dirtyBytes(): number {
    return this.#options.log.dirtyBytes;
  }

  isSpilling(): boolean {
    return this.#isSpilling || this.#options.log.chain.some(({ driving }) => driving !== null);
  }

  noteUse(isWanted: boolean): void {
    this.#options.keys.notesUse = isWanted;
  }

  evictSome(keys: number): void {
    const slots = this.#options.keys;
    const before = slots.bytes + this.#options.heldBytes();
    slots.evictSome(keys);
    const freed = slots.bytes + this.#options.heldBytes() < before;
    this.#looksInVain = freed ? 0 : this.#looksInVain + keys;
  }

  spill(): void {
    const { log, persist } = this.#options;
    if (this.#isSpilling || this.#isClosed) return;
    // After a failure what was frozen still waits to be written.
    const segment = log.open.bytes > 0 ? log.freeze() : log.chain.at(-1);
    if (segment === undefined) return;
    this.#isSpilling = true;
    this.spills++;
    persist(segment).then(
      () => {
        this.#isSpilling = false;
      },
      (error: unknown) => this.#onFailure(error),
    );
  }

  /** A segment was sealed. */
  onSealed(): void {
    this.#release();
    this.#options.budget.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#options.budget.leave(this);
  }

  // Between turns: a spill may have ended millions of keys.
  #release(): void {
    if (this.#isReleasing || this.#isClosed) return;
    const { environment, log, keys } = this.#options;
    const { clock, scheduler } = environment;
    const deadlineMs = clock.monotonicMs() + SLICE_MS;
    if (log.releaseSlice((slot) => keys.releaseIfEmpty(slot), deadlineMs)) return;
    this.#isReleasing = true;
    scheduler.defer(() => {
      this.#isReleasing = false;
      this.#release();
    });
  }

  #isHopeless(): boolean {
    const { keys, log, cold } = this.#options;
    const changedAt = log.sealedUpTo + cold.counts.reads + log.epoch;
    if (changedAt !== this.#changedAt) {
      this.#changedAt = changedAt;
      this.#looksInVain = 0;
    }
    return this.#looksInVain > 2 * keys.length + 256;
  }

  #onFailure(error: unknown): void {
    if (this.#isClosed) return;
    const { environment, operatorUid, fail, budget } = this.#options;
    // Only what heals by itself is worth waiting for: tasks may be waiting for this spill.
    if (!(error instanceof StreamError) || error.retry !== 'backoff') {
      fail(error);
      return;
    }
    environment.logger.log('warn', 'spilling of state failed, will be tried again', {
      operatorUid,
      error: messageOf(error),
    });
    environment.scheduler.after(RETRY_MS, () => {
      this.#isSpilling = false;
      budget.wake();
    });
  }
}
