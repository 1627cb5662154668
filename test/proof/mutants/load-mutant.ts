import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { type Mutant, mutate } from './mutant.ts';

/** Where files of edits are. */
export const PACKAGES = join(import.meta.dirname, '../../../packages');

/** Modules that this process loads from here on have the bug in them. */
export function loadWith(mutant: Mutant): void {
  const base = `${pathToFileURL(PACKAGES).href}/`;
  const files = new Set(mutant.edits.map(({ file }) => file));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const file = url.startsWith(base) ? url.slice(base.length) : '';
      if (!files.has(file) || loaded.source === undefined || loaded.source === null) return loaded;
      const { source } = loaded;
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
      return { ...loaded, source: mutate(mutant, file, text) };
    },
  });
}
