import type { CheckpointId } from '../element/element.ts';
import { splitPlace } from './place-address.ts';

// Every object name below a job's directory is made and read here:
//
//   log/0000000007.json          slots, contiguous; padded, so that order of names = of numbers
//   chk-12/manifest.json
//   shared/<generation>-<attempt>-<number>.run
//   alive/<generation>-<beat>    heartbeats, hints only
//
// and below a savepoint's: manifest.json and shared/*.run.
//
// Two kinds of names are of runs that are in no object of the directory:
//
//   inline/<generation>-<attempt>-<number>   it stands in the manifest
//   foreign/<key>/<name>                     `name` in a directory that the manifest tells

/** Of all slots. */
export const LOG_PREFIX = 'log/';
/** Of all runs. */
export const SHARED_PREFIX = 'shared/';
/** Of all runs that stand in manifests. */
export const INLINE_PREFIX = 'inline/';
/** Of all runs in other directories. */
export const FOREIGN_PREFIX = 'foreign/';
/** Of all checkpoint directories. */
export const CHECKPOINT_PREFIX = 'chk-';
/** Of all heartbeats. */
export const ALIVE_PREFIX = 'alive/';
/** The manifest's name in the directory of a checkpoint or savepoint. */
export const MANIFEST_NAME = 'manifest.json';

const DIGITS = 10;

/** The object of a slot of the log. */
export function slotPath(sequence: number): string {
  return `${LOG_PREFIX}${String(sequence).padStart(DIGITS, '0')}.json`;
}

/** The inverse of `slotPath`; null for a name that is none. */
export function slotSequenceOf(name: string): number | null {
  const match = /^log\/(\d{10})\.json$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** The manifest of a checkpoint. */
export function manifestPath(checkpointId: CheckpointId): string {
  return `${CHECKPOINT_PREFIX}${checkpointId}/${MANIFEST_NAME}`;
}

/** The inverse of `manifestPath`; null for a name that is none. */
export function checkpointIdOf(name: string): CheckpointId | null {
  const match = /^chk-(\d+)\/manifest\.json$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/**
 * The object of a run. Unique over all processes (generation), attempts and calls.
 *
 * @param number counts from 1 within the attempt; `tag` tells writers of one attempt apart
 */
export function runPath(generation: number, attempt: number, tag: string, number: number): string {
  return `${SHARED_PREFIX}${generation}-${attempt}-${tag}${number}.run`;
}

/** The name of a run that stands in manifests; as unique as `runPath`. */
export function inlinePath(generation: number, attempt: number, number: number): string {
  return `${INLINE_PREFIX}${generation}-${attempt}-${number}`;
}

/** The name of an object in another directory. */
export function foreignPath(key: string, name: string): string {
  return `${FOREIGN_PREFIX}${key}/${name}`;
}

/** The inverse of `foreignPath`; null for a name that it does not make. */
export function foreignNameOf(
  path: string,
): { readonly key: string; readonly name: string } | null {
  const match = /^foreign\/([^/]+)\/(.+)$/.exec(path);
  return match === null ? null : { key: match[1]!, name: match[2]! };
}

/** Who wrote a run; null for a name that `runPath` does not make. */
export function runOriginOf(name: string): { generation: number; attempt: number } | null {
  const match = /^shared\/(\d+)-(\d+)-[A-Za-z0-9._-]+\.run$/.exec(name);
  return match === null ? null : { generation: Number(match[1]), attempt: Number(match[2]) };
}

/** One heartbeat. */
export function alivePath(generation: number, beat: number): string {
  const padded = [generation, beat].map((number) => String(number).padStart(DIGITS, '0'));
  return `${ALIVE_PREFIX}${padded.join('-')}`;
}

/** The generation of whose heartbeat it is; null for a name that `alivePath` does not make. */
export function aliveGenerationOf(name: string): number | null {
  const match = /^alive\/(\d{10})-\d{10}$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** The name of a savepoint's directory: the job, the time in UTC, and chance. */
export function savepointDirectoryName(jobName: string, nowMs: number, random: string): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${jobName}-${stamp}-${random}`;
}

/** Where a restore reads: the directory that names are relative to, and the manifest in it. */
export interface RestorePath {
  readonly directory: string;
  readonly manifest: string;
}

/**
 * Takes apart what a user names: a checkpoint directory (`.../chk-7`), a savepoint directory, or
 * the manifest file of either. Parameters of a URL stay with the directory.
 */
export function restorePathOf(path: string): RestorePath {
  const { path: trimmed, query } = splitPlace(path);
  const directory = trimmed.endsWith(`/${MANIFEST_NAME}`)
    ? trimmed.slice(0, -MANIFEST_NAME.length - 1)
    : trimmed;
  const match = /^(?:(.*)\/)?(chk-\d+)$/.exec(directory);
  if (match === null) return { directory: directory + query, manifest: MANIFEST_NAME };
  return { directory: (match[1] ?? '.') + query, manifest: `${match[2]}/${MANIFEST_NAME}` };
}
