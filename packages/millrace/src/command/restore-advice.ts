import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeEnvironment, placeBelow, schemeOf } from '@millrace/core/checkpoint';
import { findPlaces } from '../checkpoints/checkpoint-place.ts';
import { resumeCommand, shellQuoted } from './run-arguments.ts';

/** A run that was refused because something that it restores from is damaged. */
export interface DamagedRun {
  readonly error: unknown;
  readonly jobName: string;
  /** What `--checkpoint-dir` says. */
  readonly checkpointDirectory: string;
  /** What followed `millrace run`. */
  readonly args: readonly string[];
}

/**
 * What to do about damaged checkpoints: the file in full, and the commands to run next, with the
 * checkpoints that are there put in. About a missing one: what there is in its place.
 *
 * @returns lines; none if the error is about something else
 */
export async function restoreAdvice(run: DamagedRun): Promise<string[]> {
  const place = missingPlace(run.error);
  if (place !== null) return schemeOf(place) === null ? whatIsIn(place) : [];
  const file = damagedFile(run.error);
  if (file === null) return [];
  const { jobName, checkpointDirectory, args, error } = run;
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : '';
  const directory = placeBelow(checkpointDirectory, jobName);
  // A run of a foreign snapshot is named, with its place, by the message.
  const path = file.startsWith('/') ? file : placeBelow(directory, file);
  const begin = resumeCommand(args);
  const others = (await readable(checkpointDirectory, jobName)).filter((name) => name !== file);
  const from = others.map((name) => {
    const place = shellQuoted(placeBelow(directory, name.replace(/\/manifest\.json$/, '')));
    return `${begin} --from ${place} --allow-duplicates`;
  });
  const none = [
    `${begin} --from SAVEPOINT --allow-duplicates, if you have one`,
    `${begin} --from none, which reads all input again (--retain 3 keeps more checkpoints)`,
  ];
  const verify = [checkpointDirectory, jobName].map(shellQuoted).join(' ');
  return [
    ...(code === 'CORRUPT_RUN_REFERENCE' ? [] : [`file: ${path}`]),
    `next: npx millrace checkpoints verify ${verify}`,
    ...(from.length > 0 ? from.reverse() : none).map((command) => `then: ${command}`),
  ];
}

function missingPlace(error: unknown): string | null {
  if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'SNAPSHOT_NOT_FOUND') return null;
  const details: { readonly path?: unknown } = Reflect.get(error, 'details');
  return typeof details.path === 'string' ? details.path : null;
}

const LISTED_MAX = 10;

function whatIsIn(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path).sort();
  } catch {
    return [`${path} is not a directory that can be read`];
  }
  if (names.length === 0) return [`${path} is empty`];
  const more = names.length > LISTED_MAX ? `, and ${names.length - LISTED_MAX} more` : '';
  const snapshots = names.filter((name) => existsSync(join(path, name, 'manifest.json')));
  return [
    `it holds: ${names.slice(0, LISTED_MAX).join(', ')}${more}`,
    ...snapshots.slice(-LISTED_MAX).map((name) => `can be named: ${join(path, name)}`),
  ];
}

/** Names of the manifests of complete checkpoints that can be read, oldest first. */
async function readable(directory: string, jobName: string): Promise<string[]> {
  const environment = nodeEnvironment();
  try {
    const places = await findPlaces(environment, directory, jobName);
    const snapshots = places.flatMap((place) => place.snapshots);
    // The newest one is what the run began with, or would have.
    return snapshots
      .slice(0, -1)
      .flatMap(({ name, manifest }) => (manifest === null ? [] : [name]));
  } catch {
    return []; // the log itself may be damaged
  } finally {
    await environment.executor.close();
  }
}

const damageCodes: ReadonlySet<unknown> = new Set([
  'CORRUPT_MANIFEST',
  'CORRUPT_RUN',
  'CORRUPT_RUN_REFERENCE',
  'CORRUPT_CHECKPOINT_LOG',
]);

function damagedFile(error: unknown): string | null {
  if (!(error instanceof Error) || !damageCodes.has(Reflect.get(error, 'code'))) return null;
  const details: unknown = Reflect.get(error, 'details');
  if (typeof details !== 'object' || details === null) return null;
  const name: unknown = Reflect.get(details, 'file') ?? Reflect.get(details, 'object');
  return typeof name === 'string' ? name : null;
}
