import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** This package's folder; sources and built files lie two levels below it alike. */
export const packageRoot: string = join(import.meta.dirname, '..', '..');

/** The version of this package, as its package.json says. */
export function packageVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  );
  return manifest.version;
}
