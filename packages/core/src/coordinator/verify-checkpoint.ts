import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import { filesOf, runsOf } from '../checkpoint/files-of.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { runIdOf } from '../state/run-reference.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { checkRun } from './run-copier.ts';

/** What a verification found. */
export interface VerificationReport {
  readonly runs: number;
  /** Of all runs, damaged ones too. */
  readonly bytes: number;
  /** One sentence each; empty: the checkpoint can be restored. */
  readonly problems: readonly string[];
}

/**
 * Reads every byte that a manifest refers to and compares sizes and checksums. The manifest has
 * been checked by reading it. Cost: reads the whole state once; memory of one run.
 *
 * @param storage rooted at the directory that the manifest's names are relative to
 */
export async function verifyCheckpoint(
  manifest: Manifest,
  storage: CheckpointStorage,
  environment: Environment,
): Promise<VerificationReport> {
  const problems: string[] = [];
  for (const [name, needed] of filesOf(manifest)) {
    const found = (await storage.list(name)).find((object) => object.name === name);
    if (found === undefined) {
      problems.push(`file "${name}" is missing`);
    } else if (found.sizeBytes < needed) {
      problems.push(`file "${name}" has ${found.sizeBytes} bytes, at least ${needed} are needed`);
    }
  }
  const seen = new Set<string>();
  let bytes = 0;
  for (const run of runsOf(manifest)) {
    const id = runIdOf(run);
    if (seen.has(id)) continue;
    seen.add(id);
    bytes += run.length;
    try {
      await checkRun(run, storage, environment);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  return { runs: seen.size, bytes, problems };
}
