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
 * What somebody else holds in the same objects stays behind. Memory: one run.
 *
 * @returns the same manifest with references to the copies
 * @throws CorruptRunError if a run's bytes are not those that were written
 */
export async function copyRuns(manifest: Manifest, options: CopyOptions): Promise<Manifest> {
  const copies = new Map<string, RunReference>();
  for (const run of runsOf(manifest)) {
    const id = runIdOf(run);
    if (run.inline !== undefined || copies.has(id)) continue;
    copies.set(id, await copyRun(run, options));
  }
  return mapRuns(manifest, (run) => {
    const copy = copies.get(runIdOf(run));
    return copy === undefined ? run : { ...run, file: copy.file, offset: copy.offset };
  });
}

/**
 * Copies one run into an object of its own.
 *
 * @returns the reference to the copy, when it is durable
 */
export async function copyRun(run: RunReference, options: CopyOptions): Promise<RunReference> {
  const chunks = await readRun(run, options.from, options.environment);
  const file = options.nextName();
  await withRetries(options.environment, ATTEMPTS, () => options.to.put(file, chunks));
  return { ...run, file, offset: 0 };
}

/**
 * Reads a whole run and checks it.
 *
 * @throws CorruptRunError, StorageNotFoundError
 */
export async function readRun(
  run: RunReference,
  storage: CheckpointStorage,
  environment: Environment,
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let checksum = 0;
  let read = 0;
  if (run.inline !== undefined) {
    chunks.push(bytesOfInline(run));
    read = chunks[0]!.length;
    checksum = crc32(chunks[0]!);
  }
  while (read < run.length) {
    const wanted = Math.min(PIECE_BYTES, run.length - read);
    const piece = await withRetries(environment, ATTEMPTS, () =>
      storage.getRange(run.file, run.offset + read, wanted),
    );
    if (piece.length === 0) break;
    chunks.push(piece);
    checksum = crc32(piece, checksum);
    read += piece.length;
  }
  if (read === run.length && checksum === run.crc32) return chunks;
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
