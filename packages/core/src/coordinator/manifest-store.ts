import { crc32 } from 'node:zlib';
import type { Environment } from '../base/environment.ts';
import { CorruptManifestError } from '../checkpoint/checkpoint-errors.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../checkpoint/manifest.ts';
import { manifestPath } from '../checkpoint/paths.ts';
import type { CheckpointSlot } from '../checkpoint/slot-log.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { StorageNotFoundError } from '../storage/storage-errors.ts';
import { ManifestTakenError } from './coordinator-errors.ts';
import { withRetries } from './storage-retry.ts';

const ATTEMPTS = 5;
const IS_ANOTHER = 'it is not the one that the log of checkpoints names';

/** A manifest that is durable. */
export interface WrittenManifest {
  readonly manifest: string;
  readonly manifestCrc32: number;
}

/**
 * Writes the manifest of a checkpoint. It is not complete before a slot of the log names it.
 *
 * One of that name that is already there is ours, if it has the same bytes: the outcome of an
 * earlier try was not known. Else it was left by a process that was replaced, or is that of the
 * process that replaced this one. It is not touched: between a look and a deletion its name may
 * have become that of a complete checkpoint. This checkpoint fails, and the next has another id.
 *
 * @throws ManifestTakenError
 */
export async function writeManifest(
  storage: CheckpointStorage,
  environment: Environment,
  manifest: Manifest,
): Promise<WrittenManifest> {
  const name = manifestPath(manifest.checkpointId);
  const bytes = encodeManifest(manifest);
  const isOurs = await withRetries(environment, ATTEMPTS, async () => {
    if ((await storage.createIfAbsent(name, bytes)) === 'created') return true;
    return Buffer.compare(await storage.get(name), bytes) === 0;
  });
  if (isOurs) return { manifest: name, manifestCrc32: crc32(bytes) };
  throw new ManifestTakenError(
    `"${name}" in ${storage.location} was already written by another process`,
    { object: name },
    { hint: 'Another process ran this job and was replaced; the next checkpoint has another id.' },
  );
}

/**
 * Reads the manifest that a slot names.
 *
 * @throws CorruptManifestError also if it is missing, or not the one that the slot was won with
 * @throws UnsupportedManifestVersionError
 */
export async function readManifest(
  storage: CheckpointStorage,
  environment: Environment,
  slot: CheckpointSlot,
): Promise<Manifest> {
  const bytes = await withRetries(environment, ATTEMPTS, () => storage.get(slot.manifest)).catch(
    (error: unknown) => failIfMissing(error, storage, slot.manifest),
  );
  const manifest = decodeManifest(bytes, slot.manifest);
  if (crc32(bytes) === slot.manifestCrc32) return manifest;
  const problem = IS_ANOTHER;
  throw new CorruptManifestError(
    `manifest "${slot.manifest}" in ${storage.location} is damaged: ${problem}`,
    { object: slot.manifest, problem },
    { hint: 'Restore from another checkpoint or a savepoint, by naming it.' },
  );
}

/**
 * Whether `readManifest` failed because a whole manifest of another process has the name. A name is
 * never taken twice, so the one of the log was deleted before: retention had dropped it.
 */
export function isManifestOfAnother(error: unknown): boolean {
  return error instanceof CorruptManifestError && error.details.problem === IS_ANOTHER;
}

function failIfMissing(error: unknown, storage: CheckpointStorage, object: string): never {
  if (!(error instanceof StorageNotFoundError)) throw error;
  throw new CorruptManifestError(
    `manifest "${object}" in ${storage.location} is missing, though the log names it`,
    { object, problem: 'it is missing' },
    { cause: error, hint: 'Restore from another checkpoint or a savepoint, by naming it.' },
  );
}
