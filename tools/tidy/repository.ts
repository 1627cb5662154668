import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOnly } from './source-text.ts';

/** The checkout's top folder. */
export const root: string = dirname(dirname(import.meta.dirname));

/** A file of the repository, as the rules see it. */
export interface SourceFile {
  /** Relative to the top folder, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and strings blanked; computed at the first look. */
  readonly code: string;
}

/** @returns a file for the rules; its code is worked out when somebody looks */
export function sourceFile(path: string, text: string): SourceFile {
  let code: string | undefined;
  return {
    path,
    text,
    get code() {
      code ??= codeOnly(text);
      return code;
    },
  };
}

/** All text files that are committed, or would be: what git knows and does not ignore. */
export function readRepository(): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const files: SourceFile[] = [];
  for (const path of new Set(listed.split('\0'))) {
    const full = join(root, path);
    if (path === '' || !existsSync(full) || !statSync(full).isFile()) continue;
    const bytes = readFileSync(full);
    if (!bytes.subarray(0, 8_000).includes(0)) files.push(sourceFile(path, bytes.toString('utf8')));
  }
  return files;
}

/** @returns whether it is TypeScript of ours (templates of new projects included) */
export function isTypeScript(file: SourceFile): boolean {
  return /\.m?tsx?$/.test(file.path);
}

/** @returns whether it is a test or lies in a folder of tests */
export function isTest(file: SourceFile): boolean {
  return /\.test\.tsx?$/.test(file.path) || /(^|\/)test\//.test(file.path);
}

/** @returns whether it is source of a package and not a test */
export function isPackageSource(file: SourceFile): boolean {
  return /^packages\/[^/]+\/src\//.test(file.path) && isTypeScript(file) && !isTest(file);
}
