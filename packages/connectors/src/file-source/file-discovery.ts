import type { FileSystem } from '@millrace/core/connector';
import type { FoundFile } from './file-split.ts';
import { notThere, readError } from './file-source-errors.ts';

/** Where to look. */
export interface DiscoveryOptions {
  /** Files, named one by one: all of them must be there. */
  readonly paths: readonly string[];
  readonly directory: string | null;
  /** Directories below `directory` too. */
  readonly isRecursive: boolean;
  /** Whether a file of the directory belongs to the source, by its name. */
  readonly accepts: (name: string) => boolean;
  /** The directory must be there. */
  readonly isStrict: boolean;
  /** For messages. */
  readonly operatorUid?: string | undefined;
}

// Names under which programs write what is not complete yet.
const UNFINISHED =
  /^[._]|~$|\.(?:tmp|temp|part|partial|inprogress|in-progress|pending|crdownload)$/i;

/**
 * Whether a file or directory is hidden or not complete, by its name: it begins with `.` or `_`, or
 * ends with `~`, `.tmp`, `.temp`, `.part`, `.partial`, `.inprogress`, `.in-progress`, `.pending` or
 * `.crdownload`.
 */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/**
 * A test for file names. `*` stands for any text, `?` for one character; a name passes if one
 * pattern fits. No pattern: everything passes.
 */
export function nameFilter(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => true;
  const alternatives = patterns.map((pattern) =>
    pattern.replace(/[.*+?^${}()|[\]\\]/g, (character) =>
      character === '*' ? '[^]*' : character === '?' ? '[^]' : `\\${character}`,
    ),
  );
  const expression = new RegExp(`^(?:${alternatives.join('|')})$`);
  return (name) => expression.test(name);
}

/**
 * The files that are not known yet, in the order of their paths.
 *
 * @throws SourceFileMissingError, SourceFileReadError
 */
export async function discoverFiles(
  fileSystem: FileSystem,
  options: DiscoveryOptions,
  isKnown: (path: string) => boolean,
): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const path of options.paths) {
    if (isKnown(path)) continue;
    const file = await statFile(fileSystem, path);
    if (file === null) throw notThere(path, options.operatorUid);
    found.push(file);
  }
  if (options.directory !== null) {
    if (options.isStrict && (await statPath(fileSystem, options.directory)) === null) {
      throw notThere(options.directory, options.operatorUid);
    }
    for (const path of await pathsIn(fileSystem, options.directory, options)) {
      if (isKnown(path)) continue;
      const file = await statFile(fileSystem, path);
      if (file !== null) found.push(file); // null: it has just been moved away
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function pathsIn(
  fileSystem: FileSystem,
  directory: string,
  options: DiscoveryOptions,
): Promise<string[]> {
  const entries = await fileSystem.list(directory).catch((error) => {
    throw readError(directory, error);
  });
  const paths: string[] = [];
  for (const { name, kind } of entries) {
    if (isUnfinished(name)) continue;
    const path = directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
    if (kind === 'directory') {
      if (options.isRecursive) paths.push(...(await pathsIn(fileSystem, path, options)));
    } else if (options.accepts(name)) paths.push(path);
  }
  return paths;
}

async function statFile(fileSystem: FileSystem, path: string): Promise<FoundFile | null> {
  const stat = await statPath(fileSystem, path);
  if (stat === null || stat.kind === 'directory') return null;
  return { path, sizeBytes: stat.sizeBytes, modifiedAtMs: stat.modifiedAtMs };
}

function statPath(fileSystem: FileSystem, path: string): ReturnType<FileSystem['stat']> {
  return fileSystem.stat(path).catch((error) => {
    throw readError(path, error);
  });
}
