import type { Source } from '@millrace/core/connector';
import { job, type JobDefinition, value } from 'millrace';
import { Tally, tallySink } from '../keyed/tally.ts';
import { BID_EXTRAS, NAMES } from '../nexmark/vocabulary.ts';

/** What changes an account. */
export interface Update {
  readonly key: number;
  readonly amount: number;
}

/** The value of a key: about 135 bytes with its key when encoded. */
interface Account {
  readonly owner: string;
  readonly city: string;
  readonly note: string;
  readonly updates: number;
  readonly balance: number;
}

/** Bytes of an entry, about. */
export const BYTES_PER_ACCOUNT = 135;

/** A job with one account per key. */
export function accountsJob(updates: Source<Update>): JobDefinition {
  return job('accounts', (flow) => {
    flow
      .from('updates', updates)
      .keyBy((update) => update.key)
      .process('accounts', {
        state: { account: value<Account>() },
        onRecord({ key, amount }, { state }) {
          const before = state.account.get() ?? accountOf(key);
          const { owner, city, note } = before;
          const balance = before.balance + amount;
          state.account.set({ owner, city, note, updates: before.updates + 1, balance });
        },
      })
      .to(
        'nowhere',
        tallySink<never>(new Tally(), () => 0),
      );
  });
}

function accountOf(key: number): Account {
  return {
    owner: NAMES[key % NAMES.length]!,
    city: 'San Francisco',
    note: BID_EXTRAS[key & 1_023]!,
    updates: 0,
    balance: 0.5,
  };
}

/**
 * Which key comes when: first all of them once, then, in each *epoch*, a share of them again and
 * again. The keys of an epoch lie evenly over all of the state, and come in no order of their own.
 */
export class KeySequence {
  readonly keys: number;
  /** Keys of one epoch. */
  readonly changing: number;
  readonly #stride: number;
  readonly #step: number;
  #at = 0;
  #epoch = 0;

  constructor(keys: number, changedShare: number) {
    this.keys = keys;
    this.#stride = Math.max(1, Math.round(1 / changedShare));
    this.changing = Math.floor(keys / this.#stride);
    // Prime to every number of keys that does not divide it: so all of them come in turn.
    this.#step = 999_983 % this.changing || 1;
    while (gcd(this.#step, this.changing) !== 1) this.#step++;
  }

  /** From now on other keys. */
  nextEpoch(): void {
    this.#epoch = (this.#epoch + 1) % this.#stride;
  }

  key(n: number): number {
    if (n < this.keys) return n;
    this.#at += this.#step;
    if (this.#at >= this.changing) this.#at -= this.changing;
    return this.#at * this.#stride + this.#epoch;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
