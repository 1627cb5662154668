import { crc32 } from 'node:zlib';
import type { Environment } from '../base/environment.ts';
import { CorruptManifestError } from '../checkpoint/checkpoint-errors.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../checkpoint/manifest.ts';
import { manifestPath } from '../checkpoint/paths.ts';
import type { CheckpointSlot } from '../checkpoint/slot-log.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { withRetries } from './storage-retry.ts';

const ATTEMPTS = 5;

/** A manifest that is durable. */
export interface WrittenManifest {
  readonly manifest: string;
  readonly manifestCrc32: number;
}

/**
 * Writes the manifest of a checkpoint. It is not complete before a slot of the log names it.
 *
 * A manifest of that name that is already there is either ours (the outcome of an earlier try was
 * not known), or was left by an owner that was replaced before it could complete it: no slot names
 * it, so it is removed. If it is that of a newer owner, our slot will be lost anyway.
 */
export async function writeManifest(
  storage: CheckpointStorage,
  environment: Environment,
  manifest: Manifest,
): Promise<WrittenManifest> {
  const name = manifestPath(manifest.checkpointId);
  const bytes = encodeManifest(manifest);
  await withRetries(environment, ATTEMPTS, async () => {
    for (let replaced = 0; ; replaced++) {
      if ((await storage.createIfAbsent(name, bytes)) === 'created') return;
      const found = await storage.get(name);
      if (Buffer.compare(found, bytes) === 0) return;
      if (replaced === ATTEMPTS || generationOf(found, name) >= manifest.generation) {
        throw new CorruptManifestError(
          `manifest "${name}" in ${storage.location} is already there, from another process`,
          { object: name, problem: 'it was written by somebody else' },
        );
      }
      await storage.delete(name);
    }
  });
  return { manifest: name, manifestCrc32: crc32(bytes) };
}

/**
 * Reads the manifest that a slot names.
 *
 * @throws CorruptManifestError also if it is not the one that the slot was won with
 * @throws UnsupportedManifestVersionError, StorageNotFoundError
 */
export async function readManifest(
  storage: CheckpointStorage,
  environment: Environment,
  slot: CheckpointSlot,
): Promise<Manifest> {
  const bytes = await withRetries(environment, ATTEMPTS, () => storage.get(slot.manifest));
  const manifest = decodeManifest(bytes, slot.manifest);
  if (crc32(bytes) === slot.manifestCrc32) return manifest;
  const problem = 'it is not the one that the log of checkpoints names';
  throw new CorruptManifestError(
    `manifest "${slot.manifest}" in ${storage.location} is damaged: ${problem}`,
    { object: slot.manifest, problem },
    { hint: 'Restore from another checkpoint or a savepoint, by naming it.' },
  );
}

// What cannot be read was not completed by anybody: older than everything.
function generationOf(bytes: Uint8Array, name: string): number {
  try {
    return decodeManifest(bytes, name).generation;
  } catch {
    return 0;
  }
}
