import { StreamError } from '@millrace/core/host';

/** The virtual broker refused a call, or did not answer: then the outcome is unknown. */
export class BrokerUnavailableError extends StreamError<{ readonly call: string }> {
  static override readonly code = 'VIRTUAL_BROKER_UNAVAILABLE';
  static override readonly domain = 'external';
  static override readonly retry = 'backoff';
}

/** Someone else has initialized the transactional id since, or the broker has ended it. */
export class ProducerFencedError extends StreamError<{
  readonly transactionalId: string;
  readonly epoch: number;
}> {
  static override readonly code = 'VIRTUAL_BROKER_PRODUCER_FENCED';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** A call does not fit the state of the transaction: for example a commit after an abort. */
export class TransactionStateError extends StreamError<{
  readonly transactionalId: string;
  readonly state: string;
}> {
  static override readonly code = 'VIRTUAL_BROKER_TRANSACTION_STATE';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** A transaction that a completed checkpoint holds was aborted by the broker: its data is lost. */
export class TransactionLostError extends StreamError<{ readonly transactionalId: string }> {
  static override readonly code = 'VIRTUAL_BROKER_TRANSACTION_LOST';
  static override readonly domain = 'external';
  static override readonly retry = 'never';
}
