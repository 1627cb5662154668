import type { DiskNode, VirtualDisk } from '../environment/virtual-disk.ts';

/** A finished file. */
export interface OutputFile {
  readonly path: string;
  readonly text: string;
}

/** A sink that keeps what was committed in memory; `memorySink()` is one. */
export interface CollectingSink {
  values(): readonly unknown[];
  clear(): void;
}

/**
 * Where a job's output is: a sink in memory, or a function that makes records of the finished files
 * (in the order of their paths).
 */
export type JobOutput = CollectingSink | ((files: readonly OutputFile[]) => readonly unknown[]);

/**
 * All finished files of a disk: no name on the way begins with a dot, and none of `except` is on
 * the way.
 *
 * @param except paths of files and directories, absolute or not
 */
export function finishedFiles(disk: VirtualDisk, except: readonly string[]): OutputFile[] {
  const hidden = new Set(except.map((path) => partsOf(path).join('/')));
  const files: OutputFile[] = [];
  const visit = (node: DiskNode, path: string): void => {
    if (hidden.has(path)) return;
    if (node.kind === 'file') {
      files.push({ path, text: new TextDecoder().decode(node.content) });
      return;
    }
    for (const [name, child] of node.names) {
      if (!name.startsWith('.')) visit(child, path === '' ? name : `${path}/${name}`);
    }
  };
  visit(disk.root, '');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Records of files by the ends of their names: JSON per line (`.jsonl`, `.ndjson`), CSV of which
 * the first line is the header (lines of text), else lines of text.
 */
export function recordsOf(files: readonly OutputFile[]): unknown[] {
  return files.flatMap(({ path, text }): unknown[] => {
    const lines = text.split('\n').filter((line) => line !== '');
    if (/\.(?:jsonl|ndjson)$/.test(path)) return lines.map(parsed);
    return path.endsWith('.csv') ? lines.slice(1) : lines;
  });
}

// What is no JSON is a torn line, and stays as it is, to be seen.
function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return line;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
