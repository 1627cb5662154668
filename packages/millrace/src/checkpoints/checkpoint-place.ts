import {
  type CheckpointSlot,
  type CheckpointStorage,
  decodeManifest,
  latestOf,
  type LogState,
  type Manifest,
  MANIFEST_NAME,
  readLogOf,
  readManifest,
  placeBelow,
  restorePathOf,
  splitPlace,
  type StoragePurpose,
  storageOf,
} from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import { CheckpointPlaceError } from '../command/command-errors.ts';

/** A snapshot that can be looked at. */
export interface FoundSnapshot {
  /** Name of the manifest's object in the storage. */
  readonly name: string;
  /** null: it cannot be read, see `problem`. */
  readonly manifest: Manifest | null;
  readonly problem: unknown;
  /** null: not named by a log (a savepoint, or a manifest given by its path). */
  readonly slot: CheckpointSlot | null;
}

/** A job's directory, or one snapshot given by its path. */
export interface CheckpointPlace {
  /** Rooted where the names of the manifests' files are relative to. */
  readonly storage: CheckpointStorage;
  readonly jobName: string;
  /** null: a snapshot given by its path, without a log. */
  readonly log: LogState | null;
  /** Complete ones in the order of their completion. */
  readonly snapshots: readonly FoundSnapshot[];
}

/**
 * Finds the jobs below a directory.
 *
 * @param directory holds directories of jobs, or is one itself; a savepoint, a `chk-` directory or
 *   a manifest are one snapshot
 * @param jobName the one wanted; undefined: all
 * @param purpose what the places' storages, which stay open, are used for
 * @returns in the order of their names
 * @throws CheckpointPlaceError if there is nothing, or not what was wanted
 * @throws CorruptLogError
 */
export async function findPlaces(
  environment: Environment,
  directory: string,
  jobName: string | undefined,
  purpose: StoragePurpose = 'read',
): Promise<CheckpointPlace[]> {
  const single = await singleSnapshot(environment, directory);
  if (single !== null) return [single];
  const names = await namesIn(environment, directory);
  if (names.some((name) => /^log\/\d+\.json$/.test(name))) {
    return [await jobPlace(environment, directory, purpose)];
  }
  const jobs = new Set(names.flatMap((name) => /^([^/]+)\/log\/\d+\.json$/.exec(name)?.[1] ?? []));
  if (jobName !== undefined && jobs.has(jobName)) {
    return [await jobPlace(environment, placeBelow(directory, jobName), purpose)];
  }
  if (jobName !== undefined || jobs.size === 0) {
    const wanted = jobName === undefined ? 'checkpoints' : `checkpoints of job "${jobName}"`;
    throw new CheckpointPlaceError(
      `there are no ${wanted} in ${directory}`,
      { directory },
      { hint: jobs.size === 0 ? 'Give what --checkpoint-dir says.' : `Jobs: ${list(jobs)}.` },
    );
  }
  const places: CheckpointPlace[] = [];
  for (const job of [...jobs].sort()) {
    places.push(await jobPlace(environment, placeBelow(directory, job), purpose));
  }
  return places;
}

/**
 * The one job that is meant.
 *
 * @throws CheckpointPlaceError if there is more than one, and what `findPlaces` throws
 */
export async function findPlace(
  environment: Environment,
  directory: string,
  jobName: string | undefined,
  purpose: StoragePurpose = 'read',
): Promise<CheckpointPlace> {
  const places = await findPlaces(environment, directory, jobName, purpose);
  if (places.length === 1) return places[0]!;
  const jobs = places.map((place) => place.jobName);
  throw new CheckpointPlaceError(
    `${directory} holds checkpoints of more than one job`,
    { directory },
    { hint: `Say which one: ${list(jobs)}.` },
  );
}

async function namesIn(environment: Environment, directory: string): Promise<string[]> {
  const storage = await storageOf(directory, environment, 'read');
  try {
    return (await storage.list('')).map(({ name }) => name);
  } finally {
    await storage.close();
  }
}

async function jobPlace(
  environment: Environment,
  directory: string,
  purpose: StoragePurpose,
): Promise<CheckpointPlace> {
  const storage = await storageOf(directory, environment, purpose);
  for (let seen = -1; ; ) {
    const { log } = await readLogOf(storage, environment);
    const { snapshots, isNewestMissing } = await readSnapshots(storage, environment, log);
    // A job that runs may complete the next one and delete this one while we look: look again,
    // as long as the log goes on.
    if (!isNewestMissing || log.highestSequence === seen) {
      return { storage, jobName: log.claim?.jobName ?? '', log, snapshots };
    }
    seen = log.highestSequence;
  }
}

async function readSnapshots(
  storage: CheckpointStorage,
  environment: Environment,
  log: LogState,
): Promise<{ readonly snapshots: FoundSnapshot[]; readonly isNewestMissing: boolean }> {
  const newest = latestOf(log);
  const snapshots: FoundSnapshot[] = [];
  let isNewestMissing = false;
  for (const { slot } of log.checkpoints) {
    const name = slot.manifest;
    const isMissing = (await storage.list(name)).length === 0;
    // Retention deletes a manifest and leaves its slot to be pruned later; the newest is kept.
    if (isMissing && slot !== newest) continue;
    isNewestMissing ||= isMissing;
    try {
      const manifest = await readManifest(storage, environment, slot);
      snapshots.push({ name, manifest, problem: null, slot });
    } catch (problem) {
      snapshots.push({ name, manifest: null, problem, slot });
    }
  }
  return { snapshots, isNewestMissing };
}

async function singleSnapshot(
  environment: Environment,
  path: string,
): Promise<CheckpointPlace | null> {
  const { directory, manifest: name } = restorePathOf(path);
  const storage = await storageOf(directory, environment, 'read');
  const isThere = (await storage.list(name)).some((object) => object.name === name);
  if (!isThere) {
    // A path that ends like one of a snapshot can be nothing else.
    const isDirectory = name === MANIFEST_NAME && !splitPlace(path).path.endsWith(MANIFEST_NAME);
    await storage.close();
    if (isDirectory) return null;
    throw new CheckpointPlaceError(`there is no snapshot at ${path}`, { directory: path });
  }
  const manifest = decodeManifest(await storage.get(name), name);
  const snapshot = { name, manifest, problem: null, slot: null };
  return { storage, jobName: manifest.jobName, log: null, snapshots: [snapshot] };
}

function list(names: Iterable<string>): string {
  return [...names].sort().join(', ');
}
