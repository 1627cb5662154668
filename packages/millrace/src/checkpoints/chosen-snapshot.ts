import type { CheckpointStorage, Manifest } from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import { CheckpointPlaceError } from '../command/command-errors.ts';
import { type CheckpointPlace, findPlace, type FoundSnapshot } from './checkpoint-place.ts';

/** A snapshot whose manifest could be read. */
export interface ReadableSnapshot {
  /** Rooted where the names of the manifest's files are relative to. */
  readonly storage: CheckpointStorage;
  /** Name of the manifest in it. */
  readonly name: string;
  readonly manifest: Manifest;
}

/**
 * The snapshot that is meant: the newest one of a job's directory, or the one with that number.
 *
 * @param directory what the user named, for messages
 * @throws CheckpointPlaceError if there is none
 */
export function chosenSnapshot(
  place: CheckpointPlace,
  directory: string,
  id: number | undefined,
): FoundSnapshot {
  const found =
    id === undefined
      ? place.snapshots.at(-1)
      : place.snapshots.find(
          ({ slot, manifest }) => (slot?.checkpointId ?? manifest?.checkpointId) === id,
        );
  if (found !== undefined) return found;
  const what = id === undefined ? 'complete checkpoint' : `complete checkpoint ${id}`;
  throw new CheckpointPlaceError(
    `there is no ${what} of job "${place.jobName}" in ${directory}`,
    { directory },
    { hint: '"npx millrace checkpoints ls" shows which ones there are.' },
  );
}

/**
 * Finds a snapshot and reads its manifest.
 *
 * @param directory a checkpoint directory, a savepoint, a `chk-` directory or a manifest
 * @throws CheckpointPlaceError, CorruptManifestError, UnsupportedManifestVersionError,
 *   CorruptLogError, and what the storage throws
 */
export async function readableSnapshot(
  environment: Environment,
  directory: string,
  job: string | undefined,
  id: number | undefined,
): Promise<ReadableSnapshot> {
  const place = await findPlace(environment, directory, job);
  const { name, manifest, problem } = chosenSnapshot(place, directory, id);
  if (manifest === null) throw problem;
  return { storage: place.storage, name, manifest };
}
