import { assert } from '@millrace/core/connector';
import type { BrokerPartition, TransactionResult } from './broker-partition.ts';
import {
  BrokerUnavailableError,
  ProducerFencedError,
  TransactionStateError,
} from './broker-errors.ts';

/** Who writes in a transaction: an id of its own choice, and what the broker gave it. */
export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly epoch: number;
}

/** What has become of a transaction; `unknown`: there was none. */
export type TransactionOutcome = 'open' | 'committed' | 'aborted' | 'unknown';

/** A transactional id as a list shows it. */
export interface ListedTransaction {
  readonly transactionalId: string;
  /** `idle`: initialized, nothing written since. `ending`: decided, markers are on the way. */
  readonly state: 'idle' | 'open' | 'ending' | 'ended';
}

interface Transaction {
  readonly producerId: number;
  readonly epoch: number;
  /** The next sequence number expected per partition. */
  readonly sequences: Map<BrokerPartition, number>;
  result: TransactionResult | null;
  markersLeft: number;
}

interface Producer {
  readonly producerId: number;
  readonly transactions: Map<number, Transaction>;
  epoch: number;
  timeoutMs: number;
  current: Transaction | null;
}

/** What the coordinator needs of its server: time. */
export interface CoordinatorHost {
  after(delayMs: number, run: () => void): void;
  /** A delay by the seed. */
  delay(mostMs: number): number;
}

/**
 * Decides about transactions, as Kafka's coordinator does (in its second version: the epoch grows
 * with the end of each transaction). Synchronous; calls come from `BrokerClient`.
 *
 *             init (epoch+1)        first record          end (epoch+1)       last marker
 *   unknown ----------------> idle -------------> open ----------------> ending --------> ended
 *                              ^                   |  init or time-out    ^                |
 *                              |                   +----(epoch+1): abort--+   first record |
 *                              +-- init (epoch+1) -----------------------------------------+
 *
 * T1. An epoch is of one transaction at most. A call with an older epoch is fenced: a zombie adds
 *     nothing to a transaction that is ended, or that is of its successor.
 * T2. The same end said again, with the epoch of that transaction, has the same answer as long as
 *     no later transaction has begun. A different end is a TransactionStateError.
 * T3. Decided means decided: the result is fixed before the first marker is written, and markers
 *     follow by themselves, partition by partition.
 * T4. A batch that is repeated with its sequence number is written once.
 * T5. What stays open longer than its time-out is aborted.
 */
export class TransactionCoordinator {
  readonly #host: CoordinatorHost;
  readonly #markerDelayMs: number;
  readonly #producers = new Map<string, Producer>();

  /** @param markerDelayMs the longest time from the end of a transaction to each of its markers */
  constructor(host: CoordinatorHost, markerDelayMs: number) {
    this.#host = host;
    this.#markerDelayMs = markerDelayMs;
  }

  /**
   * Fences all who used the id before, and aborts what they left open.
   *
   * @throws BrokerUnavailableError while a transaction of the id is ending: try again
   */
  init(transactionalId: string, timeoutMs: number): ProducerIdentity {
    let producer = this.#producers.get(transactionalId);
    if (producer === undefined) {
      const producerId = this.#producers.size + 1;
      producer = { producerId, transactions: new Map(), epoch: -1, timeoutMs, current: null };
      this.#producers.set(transactionalId, producer);
    }
    if (producer.current?.result === null) this.#end(producer, producer.current, 'abort');
    this.#checkNotEnding(transactionalId, producer);
    producer.epoch++;
    producer.timeoutMs = timeoutMs;
    return { transactionalId, producerId: producer.producerId, epoch: producer.epoch };
  }

  /**
   * Adds records to the producer's transaction, which begins with its first batch.
   *
   * @param firstSequence how many records of the transaction went to this partition before
   */
  write(
    identity: ProducerIdentity,
    partition: BrokerPartition,
    firstSequence: number,
    records: readonly { readonly value: unknown; readonly timestampMs: number }[],
  ): void {
    const producer = this.#producerOf(identity);
    if (producer.epoch !== identity.epoch) throw fenced(identity);
    this.#checkNotEnding(identity.transactionalId, producer);
    const next = producer.current?.sequences.get(partition) ?? 0;
    if (firstSequence + records.length <= next) return; // T4
    assert(firstSequence === next, 'a producer sends the batches of a partition in order');
    const transaction = producer.current ?? this.#begin(producer);
    transaction.sequences.set(partition, next + records.length);
    for (const { value, timestampMs } of records) {
      partition.append(value, timestampMs, transaction);
    }
  }

  /**
   * Commits or aborts the transaction that was written with this identity.
   *
   * @returns the identity for the next transaction
   * @throws ProducerFencedError, TransactionStateError; `outcomeOf` tells then what became of it
   */
  end(identity: ProducerIdentity, result: TransactionResult): ProducerIdentity {
    const producer = this.#producerOf(identity);
    const transaction = producer.transactions.get(identity.epoch);
    const { epoch } = producer;
    if (epoch === identity.epoch) {
      if (transaction === undefined) throw wrongState(identity, 'nothing was written');
      this.#end(producer, transaction, result);
    } else {
      const isLast = epoch === identity.epoch + 1 && !producer.transactions.has(epoch);
      if (!isLast || transaction === undefined) throw fenced(identity);
      if (transaction.result !== result)
        throw wrongState(identity, `ended by ${transaction.result}`);
    }
    return { ...identity, epoch: producer.epoch };
  }

  /** What became of the transaction of this identity, whoever ended it: a scan for its marker. */
  outcomeOf({ transactionalId, producerId, epoch }: ProducerIdentity): TransactionOutcome {
    const producer = this.#producers.get(transactionalId);
    const transaction = producer?.transactions.get(epoch);
    if (transaction === undefined || transaction.producerId !== producerId) return 'unknown';
    if (transaction.result === null) return 'open';
    return transaction.result === 'commit' ? 'committed' : 'aborted';
  }

  /** Ids that begin with `prefix`, in order of their first use. */
  list(prefix: string): ListedTransaction[] {
    return [...this.#producers]
      .filter(([transactionalId]) => transactionalId.startsWith(prefix))
      .map(([transactionalId, producer]) => ({ transactionalId, state: stateOf(producer) }));
  }

  #begin(producer: Producer): Transaction {
    const { producerId, epoch, timeoutMs } = producer;
    const sequences = new Map<BrokerPartition, number>();
    const transaction: Transaction = { producerId, epoch, sequences, result: null, markersLeft: 0 };
    producer.current = transaction;
    producer.transactions.set(epoch, transaction);
    this.#host.after(timeoutMs, () => {
      if (transaction.result === null) this.#end(producer, transaction, 'abort'); // T5
    });
    return transaction;
  }

  // T1, T3.
  #end(producer: Producer, transaction: Transaction, result: TransactionResult): void {
    producer.epoch++;
    transaction.result = result;
    const partitions = [...transaction.sequences.keys()];
    transaction.markersLeft = partitions.length;
    for (const partition of partitions) {
      const mark = (): void => {
        partition.mark(transaction, result);
        if (--transaction.markersLeft === 0) producer.current = null;
      };
      const delayMs = this.#host.delay(this.#markerDelayMs);
      if (delayMs === 0) mark();
      else this.#host.after(delayMs, mark);
    }
  }

  #producerOf(identity: ProducerIdentity): Producer {
    const producer = this.#producers.get(identity.transactionalId);
    if (producer?.producerId !== identity.producerId || identity.epoch > producer.epoch) {
      throw wrongState(identity, 'the broker does not know this producer');
    }
    return producer;
  }

  #checkNotEnding(transactionalId: string, { current }: Producer): void {
    if (current === null || current.result === null) return;
    throw new BrokerUnavailableError(
      `the last transaction of "${transactionalId}" is still ending`,
      { call: transactionalId },
    );
  }
}

function stateOf({ current, epoch, transactions }: Producer): ListedTransaction['state'] {
  if (current !== null) return current.result === null ? 'open' : 'ending';
  return transactions.has(epoch - 1) ? 'ended' : 'idle';
}

function fenced(identity: ProducerIdentity): ProducerFencedError {
  const { transactionalId, epoch } = identity;
  return new ProducerFencedError(
    `producer "${transactionalId}" with epoch ${epoch} was fenced`,
    { transactionalId, epoch },
    { hint: 'A newer producer uses this id, or its transaction was ended.' },
  );
}

function wrongState({ transactionalId }: ProducerIdentity, state: string): TransactionStateError {
  return new TransactionStateError(
    `the transaction of "${transactionalId}" cannot be changed: ${state}`,
    { transactionalId, state },
  );
}
