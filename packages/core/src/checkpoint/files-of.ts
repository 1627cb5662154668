import { runIdOf } from '../state/run-reference.ts';
import type { RunReference } from '../state/snapshot.ts';
import type { Manifest } from './manifest.ts';
import {
  aliveGenerationOf,
  CHECKPOINT_PREFIX,
  runOriginOf,
  SHARED_PREFIX,
  slotSequenceOf,
} from './paths.ts';
import { countingSequences } from './slot-log.ts';

/** Every run that a manifest refers to, in no order; one may occur several times. */
export function* runsOf(manifest: Manifest): Generator<RunReference> {
  for (const operator of Object.values(manifest.operators)) {
    for (const { keyed } of operator.subtasks) if (keyed !== null) yield* keyed.runs;
  }
}

/**
 * Every object that a manifest needs beside itself; those in other directories too (`foreign/`),
 * but no runs that stand in the manifest.
 *
 * @returns by name: the least size that it must have, in bytes
 */
export function filesOf(manifest: Manifest): Map<string, number> {
  const files = new Map<string, number>();
  for (const { file, offset, length, inline } of runsOf(manifest)) {
    if (inline !== undefined) continue;
    files.set(file, Math.max(files.get(file) ?? 0, offset + length));
  }
  return files;
}

/** Bytes of the runs that stand in the manifest, each once. */
export function inlineBytesOf(manifest: Manifest): number {
  const runs = [...runsOf(manifest)].filter(({ inline }) => inline !== undefined);
  return sumOf(new Map(runs.map(({ file, length }) => [file, length])));
}

/** Bytes of all runs; a run that several subtasks share counts once. */
export function sizeBytesOf(manifest: Manifest): number {
  return sumOf(sizesOf(manifest));
}

function sizesOf(manifest: Manifest): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const run of runsOf(manifest)) sizes.set(runIdOf(run), run.length);
  return sizes;
}

function sumOf(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, length) => sum + length, 0);
}

/** What is to become of an object in a job's directory. */
export interface FileVerdict {
  readonly name: string;
  readonly verdict: 'slot' | 'manifest' | 'run' | 'garbage' | 'foreign';
  /** For people: what needs it, or why nothing does. */
  readonly why: string;
}

/**
 * Explains every object of a job's directory. `garbage` may be deleted, but only by the owner of
 * the log: somebody else cannot know what is written and not referred to yet. `foreign` is nothing
 * that Millrace makes; it is never deleted.
 *
 * @param names all objects of the directory
 * @param kept manifests of complete and pending checkpoints, by name
 * @param isPinned objects that are in use otherwise: written and not yet acknowledged, being read
 */
export function explainFiles(
  names: readonly string[],
  kept: ReadonlyMap<string, Manifest>,
  isPinned: (name: string) => boolean,
): FileVerdict[] {
  const users = new Map<string, number[]>();
  for (const manifest of kept.values()) {
    for (const file of filesOf(manifest).keys()) {
      users.set(file, [...(users.get(file) ?? []), manifest.checkpointId]);
    }
  }
  const counting = new Set(countingSequences(names));
  return names.map((name): FileVerdict => {
    const sequence = slotSequenceOf(name);
    if (sequence !== null) {
      return counting.has(sequence)
        ? { name, verdict: 'slot', why: 'slot of the log' }
        : { name, verdict: 'garbage', why: 'slot of a process that had been replaced' };
    }
    if (name.startsWith(SHARED_PREFIX)) {
      const ids = users.get(name);
      if (ids !== undefined) {
        const ofThese = `${ids.length === 1 ? 'checkpoint' : 'checkpoints'} ${ids.join(', ')}`;
        return { name, verdict: 'run', why: `state of ${ofThese}` };
      }
      if (isPinned(name)) return { name, verdict: 'run', why: 'in use, not in a checkpoint yet' };
      const writer = runOriginOf(name)?.generation;
      const by = writer === undefined ? '' : `, written by process ${writer}`;
      return { name, verdict: 'garbage', why: `no kept checkpoint refers to it${by}` };
    }
    if (name.startsWith(CHECKPOINT_PREFIX)) {
      const manifest = kept.get(name);
      if (manifest !== undefined) {
        return { name, verdict: 'manifest', why: `checkpoint ${manifest.checkpointId}` };
      }
      if (isPinned(name)) return { name, verdict: 'manifest', why: 'being written' };
      return { name, verdict: 'garbage', why: 'no slot of the log names it' };
    }
    const alive = aliveGenerationOf(name);
    const why = alive === null ? 'not of the checkpoints' : `sign of life of process ${alive}`;
    return { name, verdict: 'foreign', why };
  });
}
