import type { Environment } from '../base/environment.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import type { CheckpointSlot, LogState } from '../checkpoint/slot-log.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { isManifestOfAnother, readManifest } from './manifest-store.ts';

/** A complete checkpoint of the job. */
export interface CompleteCheckpoint {
  readonly sequence: number;
  readonly slot: CheckpointSlot;
  /** null: it cannot be read; then nothing may be deleted but by hand. */
  readonly manifest: Manifest | null;
}

/** The complete checkpoints that a log names and that are still there, in order of slot. */
export async function readComplete(
  storage: CheckpointStorage,
  environment: Environment,
  log: LogState,
): Promise<CompleteCheckpoint[]> {
  const complete: CompleteCheckpoint[] = [];
  for (const { sequence, slot } of log.checkpoints) {
    // Dropped by retention: its slot may outlive its manifest.
    if ((await storage.list(slot.manifest)).length === 0) continue;
    try {
      complete.push({ sequence, slot, manifest: await readManifest(storage, environment, slot) });
    } catch (error) {
      if (!isManifestOfAnother(error)) complete.push({ sequence, slot, manifest: null });
    }
  }
  return complete;
}
