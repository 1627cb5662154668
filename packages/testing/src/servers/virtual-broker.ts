import { assert } from '@millrace/core/connector';
import { BrokerClient } from './broker-client.ts';
import { BrokerPartition, type BrokerRecord, type Isolation } from './broker-partition.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { type ServerClient, VirtualServer, type VirtualServerOptions } from './virtual-server.ts';

/** How a broker is. */
export interface VirtualBrokerOptions extends VirtualServerOptions {
  /** Partitions of each topic. */
  readonly topics: Readonly<Record<string, number>>;
  /** The longest time from the end of a transaction to its marker in a partition. Default 5. */
  readonly markerDelayMs?: number;
}

/** A record with its place, as a test looks at it. */
export interface PlacedRecord extends BrokerRecord {
  readonly partition: number;
}

/**
 * A broker with topics, partitions and transactions in virtual time, in the way of Kafka; it
 * outlives the simulated processes and machines.
 *
 *   connect(environment) --calls, `server`: latency and faults--> partitions, coordinator
 *
 * See broker-partition.ts for what readers see, transaction-coordinator.ts for fencing.
 */
export class VirtualBroker {
  /** Faults, delays, time. */
  readonly server: VirtualServer;
  readonly coordinator: TransactionCoordinator;
  readonly #topics = new Map<string, readonly BrokerPartition[]>();

  constructor(options: VirtualBrokerOptions) {
    this.server = new VirtualServer(options);
    this.coordinator = new TransactionCoordinator(this.server, options.markerDelayMs ?? 5);
    for (const [topic, count] of Object.entries(options.topics)) {
      this.#topics.set(
        topic,
        Array.from({ length: count }, () => new BrokerPartition()),
      );
    }
  }

  /** What a process reaches the broker by. */
  connect(client: ServerClient): BrokerClient {
    return new BrokerClient(this, client);
  }

  // For tests: the calls below take no time and never fail.

  /** Puts records at the end of a partition, in no transaction. */
  append(topic: string, partition: number, values: readonly unknown[], timestampMs = NaN): void {
    for (const value of values) {
      this.partition(topic, partition).append(structuredClone(value), timestampMs, null);
    }
  }

  /** All records of a topic, partition by partition; see `server.advance` for late calls. */
  records(topic: string, isolation: Isolation = 'committed'): PlacedRecord[] {
    return this.partitions(topic).flatMap((log, partition) =>
      log
        .fetch(0, Number.POSITIVE_INFINITY, isolation)
        .records.map((record) => ({ ...record, partition })),
    );
  }

  /** Their values. */
  values(topic: string, isolation: Isolation = 'committed'): unknown[] {
    return this.records(topic, isolation).map((record) => record.value);
  }

  /** Whether a transaction in the topic is open: readers of committed records wait for its end. */
  isBlocked(topic: string): boolean {
    return this.partitions(topic).some((log) => log.lastStableOffset < log.endOffset);
  }

  partitions(topic: string): readonly BrokerPartition[] {
    const partitions = this.#topics.get(topic);
    assert(partitions !== undefined, `the broker has the topic "${topic}"`);
    return partitions;
  }

  partition(topic: string, partition: number): BrokerPartition {
    const found = this.partitions(topic)[partition];
    assert(found !== undefined, `topic "${topic}" has partition ${partition}`);
    return found;
  }
}
