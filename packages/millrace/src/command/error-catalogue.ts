import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-version.ts';

/** docs/reference/errors.md: in the published package, or in the checkout. */
export function errorCataloguePath(): string {
  const published = join(packageRoot, 'docs', 'errors.md');
  return existsSync(published)
    ? published
    : join(packageRoot, '..', '..', 'docs', 'reference', 'errors.md');
}

/** @returns the section of a code, its title first, with one line end; null if there is none */
export function errorSection(code: string): string | null {
  const sections = `\n${readFileSync(errorCataloguePath(), 'utf8')}`.split('\n## ').slice(1);
  const found = sections.find((section) => section.split('\n')[0]!.trim() === code);
  return found === undefined ? null : `${found.trim()}\n`;
}

/** All codes, sorted. */
export function errorCodes(): string[] {
  const text = readFileSync(errorCataloguePath(), 'utf8');
  return [...text.matchAll(/^## ([A-Z_]+)\s*$/gm)].map((match) => match[1]!).sort();
}
