import type { SeededRandom } from '../environment/seeded-random.ts';
import type { LifePlan } from './fault-plan.ts';
import type { StoredCheckpoints } from './stored-checkpoints.ts';

/** A bit that was flipped, and can be flipped back. */
export interface Damage {
  readonly path: string;
  /** Nothing happens if the file is gone: nobody needed it any more. */
  repair(): void;
}

/**
 * Flips a bit in what the next start needs: the newest manifest, a run that it refers to, or its
 * slot in the log.
 *
 * @returns null: there is nothing of this kind yet
 */
export function damage(
  stored: StoredCheckpoints,
  what: LifePlan['damage'],
  random: SeededRandom,
): Damage | null {
  const path = pathOf(stored, what, random);
  const bytes = path === null ? null : stored.files.bytes(path, 'content');
  if (path === null || bytes === null || bytes.length === 0) return null;
  const at = random.below(bytes.length);
  stored.files.flip(path, at);
  const repair = (): void => {
    if (stored.files.bytes(path, 'content') !== null) stored.files.flip(path, at);
  };
  return { path, repair };
}

function pathOf(
  stored: StoredCheckpoints,
  what: LifePlan['damage'],
  random: SeededRandom,
): string | null {
  const latest = stored.latest('content');
  if (latest === null || what === 'none') return null;
  if (what === 'manifest') return stored.pathOf(latest.manifest);
  if (what === 'slot') {
    return stored.pathOf(`log/${String(latest.sequence).padStart(10, '0')}.json`);
  }
  const manifest = stored.manifest(latest, 'content');
  const root = stored.rootOf(latest);
  const runs = manifest === null ? [] : stored.runsInFiles(manifest);
  const files = runs.map(({ file }) => `${root}/${file}`);
  return files.length === 0 ? null : files[random.below(files.length)]!;
}
