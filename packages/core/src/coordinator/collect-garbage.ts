import type { Environment } from '../base/environment.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { readComplete } from './complete-checkpoints.ts';
import { LogOwner } from './log-owner.ts';
import { sweep } from './sweep.ts';

/** What a collection came to. */
export interface CollectedGarbage {
  readonly deleted: readonly string[];
  /** Manifests of complete checkpoints that cannot be read: because of them nothing was deleted. */
  readonly unreadable: readonly string[];
}

/**
 * Deletes everything in a job's directory that no complete checkpoint needs, by taking the job
 * over: whoever runs it is fenced.
 *
 *   claim a slot -> read what is complete -> sweep -> release
 *
 * C1. Only who owns the log may delete: what a running job holds, or has written and not named yet,
 *     nobody else knows. Once the slot is won nobody else can complete a checkpoint that names it.
 * C2. What is complete is read after the claim: the owner before may have gone on until then.
 *
 * @param storage rooted at the job's own directory
 */
export async function collectGarbage(
  storage: CheckpointStorage,
  environment: Environment,
  jobName: string,
): Promise<CollectedGarbage> {
  const owner = await LogOwner.claim({
    storage,
    environment,
    jobName,
    decide: ({ claim }) => ({
      instanceId: claim?.instanceId ?? environment.random.hex(8),
      isFresh: false,
    }),
  });
  try {
    const complete = await readComplete(storage, environment, owner.claimedLog); // C2
    const unreadable = complete
      .filter(({ manifest }) => manifest === null)
      .map(({ slot }) => slot.manifest);
    const deleted = await sweep(storage, environment, owner, complete, () => false);
    return { deleted, unreadable };
  } finally {
    await owner.release();
  }
}
