import type { Cancel } from '../../base/environment.ts';
import { messageOf, StreamError } from '../../base/errors.ts';
import type { CheckpointId } from '../../element/element.ts';
import type { Committer, CommitOutcome } from '../../function/sink.ts';
import type { OperatorContext } from '../operator/operator.ts';
import {
  addCommittables,
  type CommitterState,
  completeUpTo,
  initialCommitterState,
  nextCommit,
  onOutcomes,
  unconfirmed,
} from './committer-step.ts';

/** A sink could not make output visible that a complete checkpoint holds. */
export class CommitFailedError extends StreamError<{ operatorUid: string; tries: number }> {
  static override readonly code = 'COMMIT_FAILED';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/** Flink's default of `sink.committer.retries`. */
export const COMMIT_RETRIES_MAX = 10;
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 5_000;

/** Carries out committer-step.ts: commits what is due, one call at a time, beside the data path. */
export class CommitLoop {
  readonly #committer: Committer<unknown>;
  readonly #context: Pick<OperatorContext, 'environment' | 'metrics' | 'operatorUid'>;
  readonly #fail: (error: unknown) => void;
  #state: CommitterState = initialCommitterState(COMMIT_RETRIES_MAX);
  #running: Promise<void> | null = null;
  #cancelDelay: Cancel = () => {};
  #closed = false;

  constructor(
    committer: Committer<unknown>,
    context: Pick<OperatorContext, 'environment' | 'metrics' | 'operatorUid'>,
    fail: (error: unknown) => void,
  ) {
    this.#committer = committer;
    this.#context = context;
    this.#fail = fail;
  }

  add(checkpointId: CheckpointId, committables: readonly unknown[]): void {
    this.#state = addCommittables(this.#state, checkpointId, committables);
  }

  /** The checkpoint is durable: commits everything up to it. */
  complete(checkpointId: CheckpointId): void {
    this.#state = completeUpTo(this.#state, checkpointId);
    if (this.#running !== null || nextCommit(this.#state) === null) return;
    this.#running = this.#run().catch((error: unknown) => {
      this.#fail(error); // the committer broke its contract
      return never();
    });
  }

  unconfirmed(): readonly unknown[] {
    return unconfirmed(this.#state);
  }

  /** Resolves when nothing that is due is left; never if the loop fails or is closed before. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  close(): void {
    this.#closed = true;
    this.#cancelDelay();
  }

  async #run(): Promise<void> {
    for (;;) {
      const bundle = nextCommit(this.#state);
      if (this.#closed) return never();
      if (bundle === null) break;
      const outcomes = await this.#commit(bundle.committables);
      if (this.#closed) return never();
      const answer = onOutcomes(this.#state, outcomes);
      this.#state = answer.state;
      this.#report(answer.rejected);
      if (answer.failure !== undefined) {
        this.#failWith(answer.failure, bundle.tries + 1);
        return never();
      }
      if (answer.retry) await this.#delay(bundle.tries);
    }
    this.#running = null;
  }

  async #commit(committables: readonly unknown[]): Promise<readonly CommitOutcome[]> {
    try {
      return await this.#committer.commit(committables);
    } catch (error) {
      // Unknown outcome: commit is idempotent, so it is simply tried again.
      return committables.map(() => ({ kind: 'retryLater', reason: messageOf(error) }));
    }
  }

  #report(rejected: readonly unknown[]): void {
    if (rejected.length === 0) return;
    const { metrics, environment, operatorUid } = this.#context;
    metrics.counter('commitsRejected').inc(rejected.length);
    for (const error of rejected) {
      const message = `sink "${operatorUid}" lost output: a commit was rejected`;
      environment.logger.log('error', message, { error: messageOf(error) });
    }
  }

  #failWith(cause: unknown, tries: number): void {
    const { operatorUid } = this.#context;
    this.#fail(
      new CommitFailedError(
        `sink "${operatorUid}" could not commit after ${tries} tries: ${messageOf(cause)}`,
        { operatorUid, tries },
        { cause, hint: 'Its output is prepared and safe: the restarted job commits it again.' },
      ),
    );
  }

  #delay(tries: number): Promise<void> {
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MS * 2 ** tries);
    return new Promise((resolve) => {
      this.#cancelDelay = this.#context.environment.scheduler.after(delayMs, resolve);
    });
  }
}

// A promise of its own for each caller: one for all would collect everybody who ever waited.
function never(): Promise<void> {
  return new Promise(() => {});
}
