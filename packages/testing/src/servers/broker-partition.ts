/** A record as it lies in a partition. */
export interface BrokerRecord {
  readonly offset: number;
  readonly value: unknown;
  /** NaN: none. */
  readonly timestampMs: number;
}

/** What a fetch gives. */
export interface FetchedRecords {
  readonly records: readonly BrokerRecord[];
  /** Where to go on: behind markers and records of aborted transactions as well. */
  readonly nextOffset: number;
}

/** How a transaction ended in a partition. */
export type TransactionResult = 'commit' | 'abort';

/** `committed`: as a reader of committed records sees it. `all`: with open and aborted ones. */
export type Isolation = 'committed' | 'all';

/** A transaction as a partition knows it: by identity. */
export type TransactionRef = object;

interface Entry {
  /** null: a marker, which takes an offset and holds no record. */
  readonly record: BrokerRecord | null;
  /** null: not in a transaction. */
  readonly transaction: TransactionRef | null;
}

/**
 * One partition of a topic: records and markers, in the order of their arrival.
 *
 *   offset      0    1    2    3      4    5     6
 *             +----+----+----+------+----+-----+----+
 *             | a1 | b1 | a2 |commit| b2 | c1  | d1 |       a is committed, b is open: nothing
 *             |    |    |    |  a   |    |     |    |       from offset 1 on is given to readers
 *             +----+----+----+------+----+-----+----+       of committed records
 *                    ^ last stable offset
 *
 * A1. A reader of committed records gets nothing at or behind the first record of a transaction
 *     without a marker (the last stable offset).
 * A2. Before it, it gets what is in no transaction or in one with a commit marker; in order.
 */
export class BrokerPartition {
  readonly #entries: Entry[] = [];
  /** First offset of each transaction without a marker. */
  readonly #open = new Map<TransactionRef, number>();
  readonly #results = new Map<TransactionRef, TransactionResult>();

  /** The offset that the next record gets. */
  get endOffset(): number {
    return this.#entries.length;
  }

  get lastStableOffset(): number {
    return Math.min(this.endOffset, ...this.#open.values());
  }

  /** @param transaction null: visible at once */
  append(value: unknown, timestampMs: number, transaction: TransactionRef | null): void {
    const offset = this.#entries.length;
    if (transaction !== null && !this.#open.has(transaction)) this.#open.set(transaction, offset);
    this.#entries.push({ record: { offset, value, timestampMs }, transaction });
  }

  /** Writes the marker that ends a transaction here. */
  mark(transaction: TransactionRef, result: TransactionResult): void {
    this.#entries.push({ record: null, transaction });
    this.#open.delete(transaction);
    this.#results.set(transaction, result);
  }

  /** At most `maxRecords` records from `offset` on. */
  fetch(offset: number, maxRecords: number, isolation: Isolation): FetchedRecords {
    const end = isolation === 'all' ? this.endOffset : this.lastStableOffset;
    const records: BrokerRecord[] = [];
    let at = offset;
    for (; at < end && records.length < maxRecords; at++) {
      const { record, transaction } = this.#entries[at]!;
      if (record === null) continue;
      if (isolation === 'all' || this.#isCommitted(transaction)) records.push(record);
    }
    return { records, nextOffset: at };
  }

  #isCommitted(transaction: TransactionRef | null): boolean {
    return transaction === null || this.#results.get(transaction) === 'commit';
  }
}
