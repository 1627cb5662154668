import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import { filesOf } from '../checkpoint/files-of.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { runIdOf } from '../state/run-reference.ts';
import { UnknownRunVersionError } from '../state/state-errors.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { checkpointRunSource } from './checkpoint-run-source.ts';
import { type Damage, verifyRun } from './verify-run.ts';

/** What a verification found. */
export interface SnapshotVerification {
  readonly runs: number;
  /** Of all runs, damaged ones too. */
  readonly bytes: number;
  /**
   * One sentence each, the first `PROBLEMS_MAX` in the order in which they were found; empty: the
   * checkpoint can be restored.
   */
  readonly problems: readonly string[];
  /** The places of those problems that have one. */
  readonly damages: readonly Damage[];
}

/** More are not told: they cost memory, and nobody reads them. */
export const PROBLEMS_MAX = 1_000;

/**
 * Reads every byte that a manifest refers to and checks every block of every run, see `verifyRun`.
 * The manifest has been checked by reading it. Goes on after damage. Cost: reads the whole state
 * once; memory: one directory of a section and 1 MiB, or the largest block.
 *
 * @param storage rooted at the directory that the manifest's names are relative to
 * @param onProgress called with the bytes read so far and how many there are in all
 * @throws what the storage throws, but for files that are missing or too short
 */
export async function verifySnapshot(
  manifest: Manifest,
  storage: CheckpointStorage,
  environment: Environment,
  onProgress: (readBytes: number, allBytes: number) => void = () => {},
): Promise<SnapshotVerification> {
  const problems: string[] = [];
  const damages: Damage[] = [];
  const report = (problem: string): void => {
    if (problems.length < PROBLEMS_MAX) problems.push(problem);
  };
  const incomplete = new Set<string>();
  for (const [name, needed] of filesOf(manifest)) {
    const found = (await storage.list(name)).find((object) => object.name === name);
    if (found !== undefined && found.sizeBytes >= needed) continue;
    if (found === undefined) incomplete.add(name);
    report(
      found === undefined
        ? `file "${name}" is missing`
        : `file "${name}" has ${found.sizeBytes} bytes, at least ${needed} are needed`,
    );
  }
  const runs = runsToVerify(manifest);
  const source = checkpointRunSource(storage, environment);
  const bytes = runs.reduce((sum, { reference }) => sum + reference.length, 0);
  let readBytes = 0;
  for (const { reference, maxParallelism } of runs) {
    if (incomplete.has(reference.file)) continue;
    try {
      await verifyRun(source, reference, maxParallelism, {
        onDamage(damage) {
          if (problems.length < PROBLEMS_MAX) damages.push(damage);
          const { file, offset, reason } = damage;
          report(`"${file}" is damaged at byte ${offset}: ${reason}`);
        },
        onProgress(read) {
          readBytes += read;
          onProgress(readBytes, bytes);
        },
      });
    } catch (error) {
      if (!(error instanceof UnknownRunVersionError)) throw error;
      report(messageOf(error));
    }
  }
  return { runs: runs.length, bytes, problems, damages };
}

/** Each run once, however many subtasks refer to it. */
function runsToVerify({ operators }: Manifest) {
  const runs = new Map<string, { reference: Run; maxParallelism: number }>();
  for (const { maxParallelism, subtasks } of Object.values(operators)) {
    for (const reference of subtasks.flatMap(({ keyed }) => keyed?.runs ?? [])) {
      runs.set(runIdOf(reference), { reference, maxParallelism });
    }
  }
  return [...runs.values()];
}

type Run = Parameters<typeof verifyRun>[1];
