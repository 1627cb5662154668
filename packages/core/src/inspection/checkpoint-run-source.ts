import type { Environment } from '../base/environment.ts';
import { withRetries } from '../coordinator/storage-retry.ts';
import { readInline } from '../state/inline-run.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { RunSource } from './open-run.ts';

const ATTEMPTS = 5;

/**
 * Reads the runs of a checkpoint from wherever they stand: in the manifest or in objects.
 *
 * @param storage rooted at the directory that the manifest's names are relative to
 */
export function checkpointRunSource(
  storage: CheckpointStorage,
  environment: Environment,
): RunSource {
  return {
    async read(reference, offset, length) {
      if (reference.inline !== undefined) return readInline(reference, offset, length);
      const { file } = reference;
      return withRetries(environment, ATTEMPTS, () =>
        storage.getRange(file, reference.offset + offset, length),
      );
    },
  };
}
