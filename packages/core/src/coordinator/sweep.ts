import type { Environment } from '../base/environment.ts';
import { explainFiles } from '../checkpoint/files-of.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { checkpointIdOf } from '../checkpoint/paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { CompleteCheckpoint } from './complete-checkpoints.ts';
import type { LogOwner } from './log-owner.ts';

/**
 * Deletes what failed attempts and dropped checkpoints left behind. Never throws.
 *
 * G1. What is deleted was listed before the log showed that this process still owned it: nothing of
 *     a later owner can be among it. Deleted names are never used again, so a deletion that comes
 *     late hits nobody: names of runs hold generation and attempt; of manifests only those go whose
 *     id is below the one that the log tells all later owners to begin with.
 * G2. If a complete checkpoint cannot be read nothing is deleted: nobody knows what it needs.
 *
 * @param isPinned what is in use otherwise, or may be written at this moment
 * @returns names of what was deleted, or may have been if that failed
 */
export async function sweep(
  storage: CheckpointStorage,
  environment: Environment,
  owner: LogOwner,
  complete: readonly CompleteCheckpoint[],
  isPinned: (name: string) => boolean,
): Promise<readonly string[]> {
  const kept = new Map<string, Manifest>();
  for (const { slot, manifest } of complete) {
    if (manifest === null) return []; // G2
    kept.set(slot.manifest, manifest);
  }
  let useless: string[] = [];
  try {
    const names = (await storage.list('')).map(({ name }) => name);
    await owner.confirm(); // G1
    const verdicts = explainFiles(names, kept, isPinned).filter(({ name, verdict }) => {
      const mayComeAgain = (checkpointIdOf(name) ?? 0) >= owner.nextCheckpointId;
      return verdict === 'garbage' && !mayComeAgain;
    });
    useless = verdicts.map(({ name }) => name);
    if (useless.length > 0) await storage.deleteAll(useless);
  } catch (error) {
    environment.logger.log('warn', 'could not delete unused checkpoint files', { error });
  }
  return useless;
}
