import type { Scheduler } from '@millrace/core/host';
import type { BrokerClient } from './broker-client.ts';
import { retryCall } from './retry-call.ts';
import type { ProducerIdentity } from './transaction-coordinator.ts';

/** Calls to an unavailable broker before the attempt of the job fails: about ten seconds. */
const ATTEMPTS = 16;

interface Pending {
  readonly partition: number;
  readonly value: unknown;
  readonly timestampMs: number;
}

/** Where a transaction goes. */
export interface OutgoingTarget {
  readonly client: BrokerClient;
  readonly scheduler: Scheduler;
  readonly topic: string;
  readonly timeoutMs: number;
  /** Called after each batch that has been taken, and when the transaction has failed. */
  readonly onProgress: () => void;
}

/**
 * One transaction from its first record to the promise that the broker has all of them.
 *
 *   add* -> (the one before is flushed) -> (init, then batches, one call at a time) -> flushed
 */
export class OutgoingTransaction {
  readonly #target: OutgoingTarget;
  readonly #transactionalId: string;
  #before: OutgoingTransaction | null;
  readonly #sequences = new Map<number, number>();
  #identity: ProducerIdentity | null = null;
  #pending: Pending[] = [];
  #sending: Promise<void> | null = null;
  #isAbandoned = false;
  /** undefined: none. */
  failure: unknown;

  /** @param before of the same writer: nothing is sent until all of that one has been taken */
  constructor(target: OutgoingTarget, transactionalId: string, before: OutgoingTransaction | null) {
    this.#target = target;
    this.#transactionalId = transactionalId;
    this.#before = before;
  }

  /** Records that the broker has not taken. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  add(partition: number, value: unknown, timestampMs: number): void {
    this.#pending.push({ partition, value, timestampMs });
    this.#sending ??= this.#send();
  }

  /** Resolves when the broker has everything; rejects if the transaction has failed. */
  async flushed(): Promise<ProducerIdentity> {
    while (this.#sending !== null) await this.#sending;
    if (this.failure !== undefined) throw this.failure;
    return this.#identity!;
  }

  /**
   * Sends nothing more, and fences itself, so that a batch on its way opens no transaction that
   * nobody ends. Said once, whether the broker hears it or not.
   */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    if (this.#identity === null) return;
    const { client, timeoutMs } = this.#target;
    await client.initProducer(this.#transactionalId, timeoutMs).catch(() => {});
  }

  async #send(): Promise<void> {
    const { client, timeoutMs, onProgress } = this.#target;
    try {
      await this.#before?.flushed();
      this.#before = null; // else each would keep all that came before
      this.#identity ??= await this.#repeat(() =>
        client.initProducer(this.#transactionalId, timeoutMs),
      );
      while (this.#pending.length > 0 && !this.#isAbandoned) {
        await this.#sendBatch(this.#identity);
        onProgress();
      }
    } catch (error) {
      this.failure = error;
      onProgress();
    }
    this.#sending = null;
  }

  async #sendBatch(identity: ProducerIdentity): Promise<void> {
    const { client, topic } = this.#target;
    const { partition } = this.#pending[0]!;
    const records = this.#pending.filter((record) => record.partition === partition);
    const firstSequence = this.#sequences.get(partition) ?? 0;
    const batch = { topic, partition, firstSequence, records };
    await this.#repeat(() => client.produce(identity, batch));
    this.#sequences.set(partition, firstSequence + records.length);
    const sent = new Set(records);
    this.#pending = this.#pending.filter((record) => !sent.has(record));
  }

  #repeat<T>(call: () => Promise<T>): Promise<T> {
    return retryCall(this.#target.scheduler, ATTEMPTS, () => {
      if (this.#isAbandoned) throw new Error('the writer is closed');
      return call();
    });
  }
}
