import { type CommitOutcome, type Committer, messageOf } from '@millrace/core/connector';
import type { Environment } from '@millrace/core/host';

/** As in the engine: calls after the first. */
const RETRIES_MAX = 10;
const RETRY_DELAY_MS = 100;

/**
 * Commits until every outcome is final, as the engine's commit loop does: a rejection of the call
 * counts as "try again", what the target refuses for good is dropped.
 *
 * @throws the error of a commit that failed, or was tried too often
 */
export async function commitAll(
  committer: Committer<unknown>,
  committables: readonly unknown[],
  environment: Environment,
): Promise<void> {
  let left = committables;
  for (let tries = 0; left.length > 0; tries++) {
    const outcomes = await outcomesOf(committer, left);
    const failed = outcomes.find((outcome) => outcome.kind === 'failed');
    if (failed !== undefined) throw failed.error;
    const again = outcomes.find((outcome) => outcome.kind === 'retryLater');
    left = left.filter((_, index) => {
      const outcome = outcomes[index];
      return outcome === undefined || outcome.kind === 'retryLater';
    });
    if (left.length === 0) return;
    if (tries >= RETRIES_MAX) throw new Error(again?.reason ?? 'commit gave too few outcomes');
    const { scheduler } = environment;
    await new Promise<void>((resolve) => scheduler.after(RETRY_DELAY_MS, resolve));
  }
}

async function outcomesOf(
  committer: Committer<unknown>,
  committables: readonly unknown[],
): Promise<readonly CommitOutcome[]> {
  try {
    return await committer.commit(committables);
  } catch (error) {
    return committables.map(() => ({ kind: 'retryLater', reason: messageOf(error) }));
  }
}
