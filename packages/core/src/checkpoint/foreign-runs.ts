import type { RunReference } from '../state/snapshot.ts';
import { runsOf } from './files-of.ts';
import type { ForeignDirectory, Manifest } from './manifest.ts';
import { mapRuns } from './map-runs.ts';
import { foreignNameOf, foreignPath } from './paths.ts';

/**
 * The same snapshot as seen from another directory: runs in files are named `foreign/<key>/...`.
 * What it has itself from other directories gets keys of its own, and is claimed only if both are.
 * Runs that stand in the manifest stay there.
 *
 * @param key never used in the directory of the job that imports
 */
export function seenFrom(named: Manifest, key: string, directory: ForeignDirectory): Manifest {
  const keys = Object.entries(named.foreign ?? {}).map(([inner, its]) => {
    const isClaimed = directory.isClaimed && its.isClaimed;
    return [`${key}-${inner}`, { ...its, isClaimed }] as const;
  });
  const seen = mapRuns(named, (run) => {
    if (run.inline !== undefined) return run;
    const inner = foreignNameOf(run.file);
    const file =
      inner === null ? foreignPath(key, run.file) : foreignPath(`${key}-${inner.key}`, inner.name);
    return { ...run, file };
  });
  return withForeign(seen, { [key]: directory, ...Object.fromEntries(keys) });
}

/** With those of `directories` that its runs are in, and no others. */
export function withForeign(
  manifest: Manifest,
  directories: Readonly<Record<string, ForeignDirectory>>,
): Manifest {
  const { foreign: _, ...rest } = manifest;
  const keys = new Set([...runsOf(manifest)].map(({ file }) => foreignNameOf(file)?.key));
  const used = Object.entries(directories).filter(([key]) => keys.has(key));
  return used.length === 0 ? rest : { ...rest, foreign: Object.fromEntries(used) };
}

/**
 * Whether it needs what does not belong to the job: it has been imported, and nothing is copied
 * yet. It must be gone before the directory goes.
 */
export function needsForeign({ foreign = {} }: Manifest): boolean {
  return Object.values(foreign).some(({ isClaimed }) => !isClaimed);
}

/** The runs that do not belong to the job, each once. */
export function unclaimedRuns(manifest: Manifest): RunReference[] {
  const runs = new Map<string, RunReference>();
  for (const run of runsOf(manifest)) {
    const place = run.inline === undefined ? foreignNameOf(run.file) : null;
    if (place === null || manifest.foreign?.[place.key]?.isClaimed !== false) continue;
    runs.set(`${run.file}:${run.offset}`, run);
  }
  return [...runs.values()];
}
