import { crc32 } from 'node:zlib';
import type { Environment } from '../base/environment.ts';
import { runsOf } from '../checkpoint/files-of.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { mapRuns } from '../checkpoint/map-runs.ts';
import { bytesOfInline } from '../state/inline-run.ts';
import { runIdOf } from '../state/run-reference.ts';
import type { RunReference } from '../state/snapshot.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { CorruptRunError } from './coordinator-errors.ts';
import { withRetries } from './storage-retry.ts';

const PIECE_BYTES = 8 * 2 ** 20;
const ATTEMPTS = 5;
/** Runs of one snapshot that are copied at the same time. */
const PARALLEL = 4;

/** Where runs are copied from and to. */
export interface CopyOptions {
  readonly environment: Environment;
  readonly from: CheckpointStorage;
  readonly to: CheckpointStorage;
  /** @returns a name in `to` that was never used */
  readonly nextName: () => string;
}

/**
 * Copies every run that a manifest refers to into another storage, each into an object of its own.
 * What somebody else holds in the same objects stays behind. Memory: some pieces of some runs.
 *
 * @returns the same manifest with references to the copies: it needs no other directory
 * @throws CorruptRunError if a run's bytes are not those that were written
 */
export async function copyRuns(manifest: Manifest, options: CopyOptions): Promise<Manifest> {
  const runs = new Map<string, RunReference>();
  for (const run of runsOf(manifest)) if (run.inline === undefined) runs.set(runIdOf(run), run);
  const copies = new Map<string, RunReference>();
  await inParallel([...runs], PARALLEL, async ([id, run]) => {
    copies.set(id, await copyRun(run, options));
  });
  const { foreign: _, ...copied } = mapRuns(manifest, (run) => {
    const copy = copies.get(runIdOf(run));
    return copy === undefined ? run : { ...run, file: copy.file, offset: copy.offset };
  });
  return copied;
}

/**
 * Copies one run into an object of its own, and checks it on the way. Memory: a few pieces.
 *
 * @returns the reference to the copy, when it is durable
 * @throws CorruptRunError, and what the storages throw after repetitions
 */
export async function copyRun(run: RunReference, options: CopyOptions): Promise<RunReference> {
  const { environment, from, to, nextName } = options;
  const file = await withRetries(environment, ATTEMPTS, async () => {
    // A new one each time: what became of the last is not known.
    const name = nextName();
    await to.putStream(name, piecesOf(run, from, environment));
    return name;
  });
  return { ...run, file, offset: 0 };
}

/**
 * Reads a whole run and checks it. Memory: a piece.
 *
 * @throws CorruptRunError, StorageNotFoundError
 */
export async function checkRun(
  run: RunReference,
  storage: CheckpointStorage,
  environment: Environment,
): Promise<void> {
  for await (const _ of piecesOf(run, storage, environment)) {
    // Reading is all.
  }
}

/**
 * Calls for each item, so many at a time; after a failure no more are begun.
 *
 * @throws the first failure, when all that had begun have ended
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  call: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    while (failures.length === 0 && waiting.length > 0) {
      await call(waiting.shift()!).catch((error: unknown) => void failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
  if (failures.length > 0) throw failures[0];
}

async function* piecesOf(
  run: RunReference,
  storage: CheckpointStorage,
  environment: Environment,
): AsyncGenerator<Uint8Array, void> {
  let checksum = 0;
  let read = 0;
  const bytes = run.inline === undefined ? null : bytesOfInline(run);
  while (read < run.length) {
    const wanted = Math.min(PIECE_BYTES, run.length - read);
    const piece =
      bytes?.subarray(read, read + wanted) ??
      (await withRetries(environment, ATTEMPTS, () =>
        storage.getRange(run.file, run.offset + read, wanted),
      ));
    if (piece.length === 0) break;
    checksum = crc32(piece, checksum);
    read += piece.length;
    yield piece;
  }
  if (read === run.length && checksum === run.crc32) return;
  const problem =
    read < run.length
      ? `it ends after ${read} of ${run.length} bytes`
      : 'its checksum does not fit its content';
  throw new CorruptRunError(
    `run at ${run.offset} of "${run.file}" in ${storage.location} is damaged: ${problem}`,
    { file: run.file, problem },
    { hint: 'Restore from another checkpoint or a savepoint, by naming it.' },
  );
}
