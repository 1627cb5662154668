import { runIdOf } from '../state/run-reference.ts';
import type { RunReference } from '../state/snapshot.ts';
import { runsOf } from './files-of.ts';
import type { CheckpointFigures, Manifest } from './manifest.ts';

/**
 * What a checkpoint cost. O(runs).
 *
 * @param before ids of runs (`runIdOf`) that earlier checkpoints named
 * @param uploadMsOf how long an object's upload took; 0: not known
 */
export function figuresOf(
  manifest: Manifest,
  before: ReadonlySet<string>,
  uploadMsOf: (file: string) => number,
): CheckpointFigures {
  const added = new Map<string, RunReference>();
  for (const run of runsOf(manifest)) {
    if (!before.has(runIdOf(run))) added.set(runIdOf(run), run);
  }
  const runs = [...added.values()];
  const changed = runs.filter(({ isMerged }) => isMerged !== true);
  const merged = runs.filter(({ isMerged }) => isMerged === true);
  const inline = runs.filter((run) => run.inline !== undefined);
  const stored = runs.filter((run) => run.inline === undefined);
  const files = new Set(stored.map(({ file }) => file));
  return {
    changedBytes: changed.reduce((sum, { entryBytes = 0 }) => sum + entryBytes, 0),
    writtenBytes: lengthOf(changed),
    mergedBytes: lengthOf(merged),
    inlineBytes: lengthOf(inline),
    files: files.size,
    uploadMs: Math.max(0, ...[...files].map(uploadMsOf)),
  };
}

/** Ids of all runs of a manifest. */
export function runIdsOf(manifest: Manifest | null): Set<string> {
  return new Set(manifest === null ? [] : [...runsOf(manifest)].map(runIdOf));
}

function lengthOf(runs: readonly RunReference[]): number {
  return runs.reduce((sum, { length }) => sum + length, 0);
}
