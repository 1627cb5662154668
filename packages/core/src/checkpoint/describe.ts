import type { RunReference } from '../state/snapshot.ts';
import { filesOf, inlineBytesOf, sizeBytesOf } from './files-of.ts';
import type { CheckpointFigures, Manifest, OperatorManifest } from './manifest.ts';

/**
 * Explains a checkpoint to somebody who has never seen one. Lines of at most 100 columns but for
 * long names; times in UTC.
 */
export function describeManifest(manifest: Manifest): string {
  const { kind, checkpointId, jobName, instanceId, generation, fingerprint } = manifest;
  const took = manifest.completedAtMs - manifest.triggeredAtMs;
  const files = filesOf(manifest);
  const lines = [
    `${capitalised(kind)} ${checkpointId} of job "${jobName}"`,
    `  A consistent picture of the whole job: if it is restored from here, it goes on as if`,
    `  nothing had happened since.`,
    ``,
    `  taken        ${timeOf(manifest.triggeredAtMs)}, in ${took} ms`,
    `  by           process ${generation} (number of its claim), instance ${instanceId}`,
    `  graph        ${fingerprint} (changes when operators or their state change)`,
    `  keyed state  ${bytesOf(sizeBytesOf(manifest))} in ${placesOf(manifest, files.size)}`,
    ...(manifest.figures === undefined ? [] : describeFigures(manifest.figures)),
    ``,
  ];
  for (const [uid, operator] of Object.entries(manifest.operators)) {
    lines.push(...describeOperator(uid, operator));
    const position = manifest.enumerators[uid];
    if (position !== undefined)
      lines.push(`    enumerator: ${shortened(JSON.stringify(position))}`);
  }
  if (files.size > 0) {
    lines.push('', '  Files that it needs:');
    for (const [name, size] of [...files].sort()) {
      lines.push(`    ${name}  (at least ${bytesOf(size)})`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function placesOf(manifest: Manifest, files: number): string {
  const inlineBytes = inlineBytesOf(manifest);
  if (inlineBytes === 0) return counted(files, 'file');
  const inline = `the manifest (${bytesOf(inlineBytes)})`;
  return files === 0 ? inline : `${inline} and ${counted(files, 'file')}`;
}

function describeFigures(figures: CheckpointFigures): string[] {
  const { changedBytes, writtenBytes, mergedBytes, files, uploadMs } = figures;
  const upload = files === 0 ? '' : `, uploaded in ${uploadMs} ms`;
  const lines = [
    `  changed      ${bytesOf(changedBytes)} of entries since the checkpoint before, ` +
      `${bytesOf(writtenBytes)} as stored`,
  ];
  if (mergedBytes > 0) lines.push(`  merged       ${bytesOf(mergedBytes)} of older runs`);
  return [...lines, `  new files    ${files}${upload}`];
}

function describeOperator(uid: string, operator: OperatorManifest): string[] {
  const { parallelism, maxParallelism, subtasks } = operator;
  const finished = subtasks.filter((subtask) => subtask.finished).length;
  const lines = [
    `  operator "${uid}": ${counted(parallelism, 'subtask')}, ` +
      `${maxParallelism} key groups${finished > 0 ? `, ${finished} finished` : ''}`,
  ];
  const tables = new Map(
    subtasks.flatMap(({ keyed }) => keyed?.tables ?? []).map((table) => [table.name, table]),
  );
  for (const { name, kind, version, isDropped } of tables.values()) {
    if (isDropped) continue;
    lines.push(`    table "${name}": ${kind}, version ${version}`);
  }
  const runs = subtasks.flatMap(({ keyed }) => keyed?.runs ?? []);
  if (runs.length > 0) lines.push(`    ${describeRuns(runs)}`);
  const lists = new Map<string, { redistribution: string; elements: number }>();
  for (const list of subtasks.flatMap((subtask) => subtask.lists)) {
    const elements = (lists.get(list.name)?.elements ?? 0) + list.elements.length;
    lists.set(list.name, { redistribution: list.redistribution, elements });
  }
  for (const [name, { redistribution, elements }] of lists) {
    lines.push(`    list "${name}": ${counted(elements, 'element')}, ${redistribution}`);
  }
  if (lines.length === 1) lines.push('    no state');
  return lines;
}

function describeRuns(runs: readonly RunReference[]): string {
  const bytes = runs.reduce((sum, { length }) => sum + length, 0);
  const entries = runs.reduce((sum, run) => sum + run.entries, 0);
  return (
    `${counted(runs.length, 'run')} (sorted, immutable), ${bytesOf(bytes)}, ` +
    `${counted(entries, 'entry')}, older versions included`
  );
}

function counted(count: number, word: string): string {
  return `${count} ${plural(count, word)}`;
}

function plural(count: number, word: string): string {
  if (count === 1) return word;
  return word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`;
}

function capitalised(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

function bytesOf(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1_024 ** power).toFixed(1)} ${units[power - 1]}`;
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
