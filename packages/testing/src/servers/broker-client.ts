import { BrokerUnavailableError } from './broker-errors.ts';
import type { FetchedRecords, Isolation, TransactionResult } from './broker-partition.ts';
import type {
  ListedTransaction,
  ProducerIdentity,
  TransactionOutcome,
} from './transaction-coordinator.ts';
import type { VirtualBroker } from './virtual-broker.ts';
import type { ServerClient } from './virtual-server.ts';

/** Records for one partition. */
export interface BrokerBatch {
  readonly topic: string;
  readonly partition: number;
  /** How many records of this transaction went to the partition before. */
  readonly firstSequence: number;
  readonly records: readonly { readonly value: unknown; readonly timestampMs: number }[];
}

/**
 * A process' connection to a `VirtualBroker`. Every call takes time and may fail with
 * BrokerUnavailableError (retry: backoff), after which its outcome may be unknown; all of them may
 * be repeated then. Calls under way at the same time take effect in any order.
 */
export class BrokerClient {
  readonly #broker: VirtualBroker;
  readonly #client: ServerClient;

  constructor(broker: VirtualBroker, client: ServerClient) {
    this.#broker = broker;
    this.#client = client;
  }

  /** See TransactionCoordinator.init. Repeated, it fences once more, which harms nobody. */
  initProducer(transactionalId: string, timeoutMs: number): Promise<ProducerIdentity> {
    return this.#call(`init ${transactionalId}`, ({ coordinator }) =>
      coordinator.init(transactionalId, timeoutMs),
    );
  }

  /** Adds records to the transaction of `identity`. @throws ProducerFencedError */
  produce(identity: ProducerIdentity, batch: BrokerBatch): Promise<void> {
    const { topic, partition, firstSequence } = batch;
    const records = batch.records.map((record) => structuredClone(record));
    return this.#call(`produce ${identity.transactionalId}`, (broker) =>
      broker.coordinator.write(
        identity,
        broker.partition(topic, partition),
        firstSequence,
        records,
      ),
    );
  }

  /** See TransactionCoordinator.end. */
  endTransaction(identity: ProducerIdentity, result: TransactionResult): Promise<ProducerIdentity> {
    return this.#call(`${result} ${identity.transactionalId}`, ({ coordinator }) =>
      coordinator.end(identity, result),
    );
  }

  /** See TransactionCoordinator.outcomeOf. */
  outcomeOf(identity: ProducerIdentity): Promise<TransactionOutcome> {
    return this.#call(`outcome ${identity.transactionalId}`, ({ coordinator }) =>
      coordinator.outcomeOf(identity),
    );
  }

  /** Transactional ids that begin with `prefix`. */
  listTransactions(prefix: string): Promise<ListedTransaction[]> {
    return this.#call(`list ${prefix}`, ({ coordinator }) => coordinator.list(prefix));
  }

  /** Records from `offset` on, at once: none if there are none. */
  fetch(
    topic: string,
    partition: number,
    offset: number,
    maxRecords: number,
    isolation: Isolation = 'committed',
  ): Promise<FetchedRecords> {
    return this.#call(`fetch ${topic}-${partition} ${offset}`, (broker) =>
      structuredClone(broker.partition(topic, partition).fetch(offset, maxRecords, isolation)),
    );
  }

  /** The offset behind the last record of each partition, open transactions included. */
  endOffsets(topic: string): Promise<number[]> {
    return this.#call(`offsets ${topic}`, (broker) =>
      broker.partitions(topic).map((partition) => partition.endOffset),
    );
  }

  #call<T>(label: string, effect: (broker: VirtualBroker) => T): Promise<T> {
    return this.#broker.server.call(this.#client, {
      label,
      effect: () => effect(this.#broker),
      errorOf: (failure) => {
        const what = failure === 'timeout' ? 'no answer, outcome unknown' : failure;
        return new BrokerUnavailableError(`could not ${label}: ${what}`, { call: label });
      },
    });
  }
}
