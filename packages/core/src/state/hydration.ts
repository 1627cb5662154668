import type { Clock } from '../base/environment.ts';
import { keyIdentity } from '../element/key.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import type { EntryReader, StoredRecord, StoredRecords } from './entry-reader.ts';
import type { DeclaredState } from './declare-state.ts';
import type { KeySlots } from './key-slots.ts';
import type { LiveRuns } from './live-runs.ts';

/** The clock is looked at once per so many records. */
const RECORDS_PER_LOOK = 64;

/** What the hydration works on. */
export interface HydrationOptions {
  readonly states: readonly DeclaredState[];
  readonly keyGroupRange: KeyGroupRange;
  readonly keys: KeySlots;
  readonly cold: EntryReader;
  readonly runs: LiveRuns;
  readonly clock: Clock;
}

/**
 * Loads all per-key state that is not in memory, a slice at a time, so that a job whose state fits
 * works at full speed again soon after a restore.
 *
 * H1. What is in memory is never overwritten: it is newer.
 * H2. A part (one state, one key group) is read from runs of one moment. If runs have come or gone
 *     it begins anew: a key that has ended meanwhile may have left the memory, and only the newest
 *     run says so.
 * H3. If anything is evicted while it works, it has failed.
 */
export class Hydration {
  readonly #options: HydrationOptions;
  readonly #evictions: number;
  #state = 0;
  #keyGroup: number;
  #records: StoredRecords | null = null;
  #version = -1;
  #ahead: StoredRecord | null = null;

  constructor(options: HydrationOptions) {
    this.#options = options;
    this.#evictions = options.keys.evictions;
    this.#keyGroup = options.keyGroupRange.first;
  }

  /**
   * Goes on until all is in memory or the clock reaches `deadlineMs`.
   *
   * @throws what reading throws; the next call goes on
   */
  step(deadlineMs: number): 'more' | 'done' | 'failed' {
    const { clock, keys, states } = this.#options;
    if (keys.evictions !== this.#evictions) return 'failed';
    let read = 0;
    while (this.#state < states.length) {
      read += this.#nextKey();
      if (read >= RECORDS_PER_LOOK) {
        read = 0;
        if (clock.monotonicMs() >= deadlineMs) return 'more';
      }
    }
    keys.isComplete = true;
    return 'done';
  }

  /** @returns how much work it was */
  #nextKey(): number {
    const { cold, runs, keys, states } = this.#options;
    const state = states[this.#state]!;
    if (this.#records === null || this.#version !== runs.version) {
      this.#version = runs.version;
      this.#records = cold.range(state.table, this.#keyGroup, (key, sub) => {
        const slot = keys.find(key);
        return slot === undefined || state.lacks(slot, sub);
      });
      this.#ahead = this.#records.next();
    }
    const first = this.#ahead;
    if (first === null) {
      this.#nextPart();
      return 1;
    }
    const identity = keyIdentity(first.key);
    const records = [first];
    for (;;) {
      this.#ahead = this.#records.next();
      if (this.#ahead === null || keyIdentity(this.#ahead.key) !== identity) break;
      records.push(this.#ahead);
    }
    const slot = keys.slotOf(first.key, first.keyGroup);
    // The first one was read in an earlier slice: it may have been touched since (H1).
    const lacking = records.filter(({ sub }) => state.lacks(slot, sub));
    if (lacking.length > 0) state.fill(slot, lacking);
    return records.length;
  }

  #nextPart(): void {
    this.#records = null;
    const { first, last } = this.#options.keyGroupRange;
    if (this.#keyGroup < last) this.#keyGroup++;
    else {
      this.#keyGroup = first;
      this.#state++;
    }
  }
}
