import type {
  CheckpointId,
  PreparedCommit,
  SinkContext,
  SinkWriter,
} from '@millrace/core/connector';
import { OutgoingTransaction, type OutgoingTarget } from './outgoing-transaction.ts';
import { transactionalIdOf } from './transactional-id.ts';
import type { TransactionalSinkOptions } from './transactional-sink.ts';
import type { ProducerIdentity } from './transaction-coordinator.ts';
import type { VirtualBroker } from './virtual-broker.ts';

/** Records a writer holds before it asks for a pause. */
const PENDING_MAX = 200;

interface Closed {
  readonly transaction: OutgoingTransaction;
  /** The smallest checkpoint that has been given it. */
  handedTo: CheckpointId;
}

/**
 * Writes the records between two barriers in one transaction, with an id of its own.
 *
 * U1. A checkpoint is given the transactions closed before its barrier, but for those that an older
 *     one was given; only when the broker has all of their records.
 * U2. No id is used twice, so a commit that is repeated can never hit another transaction.
 * U3. Transactions are sent one after the other: order in a partition is the order of writing.
 */
export class TransactionalWriter<T> implements SinkWriter<T, never, ProducerIdentity> {
  readonly #context: SinkContext;
  readonly #partitionOf: (value: T) => number;
  readonly #target: OutgoingTarget;
  #open: OutgoingTransaction | null = null;
  #last: OutgoingTransaction | null = null;
  #closed: Closed[] = [];
  #count = 0;
  #waiters: PromiseWithResolvers<void>[] = [];

  constructor(broker: VirtualBroker, options: TransactionalSinkOptions<T>, context: SinkContext) {
    const { environment, subtaskIndex } = context;
    const { topic, timeoutMs = 900_000, partition } = options;
    const count = broker.partitions(topic).length;
    this.#context = context;
    this.#partitionOf = (value) => (partition?.(value, count) ?? subtaskIndex) % count;
    this.#target = {
      client: broker.connect(environment),
      scheduler: environment.scheduler,
      topic,
      timeoutMs,
      onProgress: () => this.#wake(),
    };
  }

  write(value: T, timestampMs: number): void {
    const failure = this.#failure();
    if (failure !== undefined) throw failure;
    this.#open ??= this.#begin();
    this.#open.add(this.#partitionOf(value), value, timestampMs);
  }

  ready(): Promise<void> | null {
    const failure = this.#failure();
    if (failure !== undefined) return Promise.reject(failure);
    if (this.#isFull()) {
      const waiter = Promise.withResolvers<void>();
      this.#waiters.push(waiter);
      return waiter.promise;
    }
    return null;
  }

  prepareCommit(
    checkpointId: CheckpointId,
  ): () => Promise<PreparedCommit<never, ProducerIdentity>> {
    if (this.#open !== null) {
      this.#closed.push({ transaction: this.#open, handedTo: Number.POSITIVE_INFINITY });
      this.#open = null;
    }
    const before = [...this.#closed];
    return async () => {
      const mine = before.filter((closed) => closed.handedTo >= checkpointId);
      for (const closed of mine) closed.handedTo = checkpointId;
      this.#closed = this.#closed.filter(isUnclaimed);
      const committables = await Promise.all(mine.map((closed) => closed.transaction.flushed()));
      return { committables, writerStates: [] };
    };
  }

  /** What no checkpoint was given is aborted; the rest may be in one that completes. */
  async close(): Promise<void> {
    const unclaimed = this.#closed.map((closed) => closed.transaction);
    if (this.#open !== null) unclaimed.push(this.#open);
    await Promise.all(unclaimed.map((transaction) => transaction.abandon()));
  }

  // U2, U3.
  #begin(): OutgoingTransaction {
    const id = transactionalIdOf(this.#context, ++this.#count);
    this.#last = new OutgoingTransaction(this.#target, id, this.#last);
    return this.#last;
  }

  #isFull(): boolean {
    return (this.#open?.pendingCount ?? 0) >= PENDING_MAX;
  }

  #failure(): unknown {
    const all = [this.#open, ...this.#closed.map((closed) => closed.transaction)];
    return all.find((transaction) => transaction?.failure !== undefined)?.failure;
  }

  #wake(): void {
    const failure = this.#failure();
    if (failure === undefined && this.#isFull()) return;
    for (const waiter of this.#waiters.splice(0)) {
      if (failure === undefined) waiter.resolve();
      else waiter.reject(failure);
    }
  }
}

function isUnclaimed({ handedTo }: Closed): boolean {
  return handedTo === Number.POSITIVE_INFINITY;
}
