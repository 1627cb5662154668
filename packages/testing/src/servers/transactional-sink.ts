import {
  type CommitOutcome,
  type Committer,
  messageOf,
  type Sink,
  type SinkContext,
} from '@millrace/core/connector';
import type { BrokerClient } from './broker-client.ts';
import {
  ProducerFencedError,
  TransactionLostError,
  TransactionStateError,
} from './broker-errors.ts';
import { isTransient, retryCall } from './retry-call.ts';
import type { ProducerIdentity } from './transaction-coordinator.ts';
import { isOfOlderAttempt, transactionalPrefix } from './transactional-id.ts';
import { TransactionalWriter } from './transactional-writer.ts';
import type { VirtualBroker } from './virtual-broker.ts';

const RECOVERY_ATTEMPTS = 16;

/** How a topic is written. */
export interface TransactionalSinkOptions<T> {
  readonly topic: string;
  /** Which partition a record goes to, modulo the count. Default: the index of the subtask. */
  readonly partition?: (value: T, partitionCount: number) => number;
  /**
   * What the broker aborts an open transaction after; it must be longer than the longest time from
   * a record to the commit after a crash. Default 900 000, Kafka's highest.
   */
  readonly timeoutMs?: number;
}

/**
 * An exactly-once sink on a virtual broker: two-phase commit over transactions.
 *
 *   records --> transaction of its own per checkpoint and subtask --barrier--> all sent: prepared
 *     committable = {transactionalId, producerId, epoch} --checkpoint complete--> end(commit)
 *
 * S1. A committable names one transaction for ever (U2), so to commit it again changes nothing.
 * S2. If the answer to a commit leaves open what happened, the broker is asked for the outcome. An
 *     aborted transaction is lost data: TransactionLostError, never silently.
 * S3. `recover` comes after the commits of the restored checkpoint. It fences every id of an older
 *     attempt whose transaction is not decided, also one that nothing was written with yet.
 */
export function virtualTransactionalSink<T>(
  broker: VirtualBroker,
  options: TransactionalSinkOptions<T>,
): Sink<T, never, ProducerIdentity> {
  return {
    name: `broker ${options.topic}`,
    delivery: 'exactly-once',
    createWriter: (context) => new TransactionalWriter(broker, options, context),
    createCommitter: (context) => committer(broker.connect(context.environment)),
    recover: (context) => abortDangling(broker.connect(context.environment), context),
  };
}

function committer(client: BrokerClient): Committer<ProducerIdentity> {
  return {
    commit: (committables) => Promise.all(committables.map((one) => commit(client, one))),
    async close() {},
  };
}

async function commit(client: BrokerClient, identity: ProducerIdentity): Promise<CommitOutcome> {
  try {
    await client.endTransaction(identity, 'commit');
    return { kind: 'committed' };
  } catch (error) {
    if (isTransient(error)) return { kind: 'retryLater', reason: messageOf(error) };
    const isAmbiguous =
      error instanceof ProducerFencedError || error instanceof TransactionStateError;
    return isAmbiguous ? outcomeOf(client, identity, error) : { kind: 'failed', error };
  }
}

// S2.
async function outcomeOf(
  client: BrokerClient,
  identity: ProducerIdentity,
  cause: Error,
): Promise<CommitOutcome> {
  try {
    const outcome = await client.outcomeOf(identity);
    if (outcome === 'committed') return { kind: 'alreadyCommitted' };
    const { transactionalId } = identity;
    const error = new TransactionLostError(
      `the prepared transaction "${transactionalId}" cannot be committed: it is ${outcome}`,
      { transactionalId },
      { cause, hint: 'Raise `timeoutMs` above the longest outage.' },
    );
    return { kind: 'failed', error };
  } catch (error) {
    if (!isTransient(error)) throw error;
    return { kind: 'retryLater', reason: messageOf(error) };
  }
}

// S3.
async function abortDangling(client: BrokerClient, context: SinkContext): Promise<void> {
  const { scheduler, logger } = context.environment;
  const repeat = <R>(call: () => Promise<R>): Promise<R> =>
    retryCall(scheduler, RECOVERY_ATTEMPTS, call);
  const listed = await repeat(() => client.listTransactions(transactionalPrefix(context)));
  const dangling = listed.filter(
    ({ transactionalId, state }) =>
      (state === 'open' || state === 'idle') && isOfOlderAttempt(transactionalId, context),
  );
  for (const { transactionalId } of dangling) {
    await repeat(() => client.initProducer(transactionalId, 1_000));
  }
  if (dangling.length === 0) return;
  logger.log('info', 'aborted transactions of earlier attempts', { count: dangling.length });
}
