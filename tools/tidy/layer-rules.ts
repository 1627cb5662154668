import { posix } from 'node:path';
import { isPackageSource, type SourceFile } from './repository.ts';

const coreSource = 'packages/core/src/';

/** Folder of core -> the folders it may import, as in layers.json. */
export type Layers = Readonly<Record<string, readonly string[]>>;

/** A module specifier and the line it stands in (from 1). */
export interface ImportedModule {
  readonly specifier: string;
  readonly line: number;
}

// In code with blanked strings, so that a word in a string is no keyword: quotes and spaces are
// what is left of the specifier.
const importClause = /(?:\bimport|\bexport)\b[^'"`;()]*?\bfrom\s*['"]( *)['"]/;
const plainImport = /\bimport\s*\(?\s*['"]( *)['"]/;
const anyImport = new RegExp(`${importClause.source}|${plainImport.source}`, 'g');

/** All static and dynamic imports and re-exports of a file, types included. */
export function importsOf(file: SourceFile): ImportedModule[] {
  return [...file.code.matchAll(anyImport)].map((match) => {
    const blank = match[1] ?? match[2]!;
    const end = match.index + match[0].length - 1;
    const line = file.code.slice(0, end).split('\n').length;
    return { specifier: file.text.slice(end - blank.length, end), line };
  });
}

/** @returns one line per import in core that its row in layers.json does not name */
export function layerOffenders(files: readonly SourceFile[], layers: Layers): string[] {
  const offenders: string[] = [];
  for (const file of files) {
    if (!file.path.startsWith(coreSource) || !isPackageSource(file)) continue;
    const folder = folderInCore(file.path);
    // Entry points beside the folders join what the folders keep apart.
    if (folder === null) continue;
    const allowed = layers[folder];
    if (allowed === undefined) {
      offenders.push(`${file.path}: folder ${folder} has no row in layers.json`);
      continue;
    }
    for (const { specifier, line } of importsOf(file)) {
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(file.path), specifier);
      const targetFolder = target.startsWith(coreSource) ? folderInCore(target) : null;
      if (targetFolder === folder || (targetFolder !== null && allowed.includes(targetFolder))) {
        continue;
      }
      offenders.push(`${file.path}:${line}: ${folder} may not import ${specifier}`);
    }
  }
  return offenders;
}

/** @returns one line per cycle through rows, and per row named that does not exist */
export function layerCycles(layers: Layers): string[] {
  const offenders: string[] = [];
  const done = new Set<string>();
  const visit = (folder: string, way: readonly string[]): void => {
    if (way.includes(folder)) {
      offenders.push([...way.slice(way.indexOf(folder)), folder].join(' -> '));
      return;
    }
    if (done.has(folder)) return;
    for (const next of layers[folder] ?? []) {
      if (layers[next] === undefined) offenders.push(`${folder} names ${next}, which has no row`);
      else visit(next, [...way, folder]);
    }
    done.add(folder);
  };
  for (const folder of Object.keys(layers)) visit(folder, []);
  return offenders;
}

/**
 * Between packages: by name and declared, never by a path into another package; core and
 * connectors take nothing from a third party.
 *
 * @param declared package folder -> names in its `dependencies` and `peerDependencies`
 */
export function packageImportOffenders(
  files: readonly SourceFile[],
  declared: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const offenders: string[] = [];
  for (const file of files) {
    if (!isPackageSource(file)) continue;
    const folder = file.path.split('/')[1]!;
    const own = `packages/${folder}/`;
    for (const { specifier, line } of importsOf(file)) {
      const where = `${file.path}:${line}`;
      if (specifier.startsWith('.')) {
        if (posix.join(posix.dirname(file.path), specifier).startsWith(own)) continue;
        offenders.push(`${where}: ${specifier} leaves the package; import it by its name`);
      } else if (!specifier.startsWith('node:') && !specifier.startsWith('#')) {
        const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)![0];
        if (declared.get(folder)?.has(name)) continue;
        offenders.push(`${where}: ${name} is not in the dependencies of packages/${folder}`);
      }
    }
  }
  return offenders;
}

function folderInCore(path: string): string | null {
  const rest = path.slice(coreSource.length).split('/');
  return rest.length > 1 ? rest[0]! : null;
}
