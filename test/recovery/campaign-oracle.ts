// What must hold when a job has finished, whatever happened to it.
import assert from 'node:assert/strict';
import {
  explainFiles,
  type Manifest,
  readLogOf,
  readManifest,
  storageOf,
} from '@millrace/core/checkpoint';
import { type VirtualDisk, VirtualEnvironment } from '@millrace/testing';

/** Nothing is lost, and in exactly-once mode nothing doubled. */
export function checkLines(
  committed: readonly string[],
  expected: readonly string[],
  mode: 'exactly-once' | 'at-least-once',
): void {
  const wanted = countsOf(expected);
  const found = countsOf(committed);
  const wrong: string[] = [];
  for (const line of new Set([...wanted.keys(), ...found.keys()])) {
    const [want, got] = [wanted.get(line) ?? 0, found.get(line) ?? 0];
    const isRight = mode === 'exactly-once' ? got === want : got >= want && want > 0;
    if (!isRight) wrong.push(`"${line}" ${got} times, not ${want}`);
  }
  assert.equal(wrong.slice(0, 8).join('; '), '', 'the committed lines are those of a plain run');
}

function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** No dead file is left: neither of checkpoints nor of sinks. After a claim without faults. */
export async function checkFiles(disk: VirtualDisk, jobName: string): Promise<void> {
  const root = `/checkpoints/${jobName}`;
  const environment = new VirtualEnvironment({ disk });
  const storage = await storageOf(root, environment);
  const unexplained = async (): Promise<string[]> => {
    const names = (await storage.list('')).map(({ name }) => name);
    const { log } = await readLogOf(storage, environment);
    const kept = new Map<string, Manifest>();
    for (const { slot } of log.checkpoints) {
      if (!names.includes(slot.manifest)) continue; // dropped, its slot is not pruned yet
      kept.set(slot.manifest, await readManifest(storage, environment, slot));
    }
    // A merge of runs may have ended too late for the last checkpoint; the next claim deletes it.
    const isMerge = (name: string): boolean => name.startsWith(`shared/${log.claim?.generation}-`);
    return explainFiles(names, kept, isMerge)
      .filter(({ verdict }) => verdict === 'garbage' || verdict === 'foreign')
      .map(({ name, why }) => `${name}: ${why}`);
  };
  assert.deepEqual(await environment.runUntil(unexplained()), [], 'files of checkpoints');
  // A merge that was under way at the end leaves its temporary file, too.
  const temporary = filesBelow(disk, root).filter(
    (path) => path.includes('/~') && !path.includes('/shared/'),
  );
  assert.deepEqual(temporary, [], 'temporary files of checkpoints');
  const staged = filesBelow(disk, '/out').filter((path) => path.includes('/.'));
  assert.deepEqual(staged, [], 'unfinished parts of sinks');
}

function filesBelow(disk: VirtualDisk, path: string): string[] {
  const node = disk.find(path);
  if (node === undefined) return [];
  if (node.kind === 'file') return [path];
  return [...node.names.keys()].flatMap((name) => filesBelow(disk, `${path}/${name}`));
}
