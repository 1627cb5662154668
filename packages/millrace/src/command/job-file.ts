import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JobDefinition } from '@millrace/core';
import { JobModuleError } from './command-errors.ts';

/**
 * The folder a job belongs to: the nearest one above its file that holds a package.json, else the
 * file's own.
 */
export function packageFolder(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return dirname(file);
  }
}

/** Where a job's checkpoints go if nothing is said: `.millrace/checkpoints` beside its package. */
export function defaultCheckpointDirectory(file: string): string {
  return join(packageFolder(file), '.millrace', 'checkpoints');
}

/** A path as the user would write it: relative if it lies below the working directory. */
export function shownPath(path: string, workingDirectory: string): string {
  const short = relative(workingDirectory, path);
  return short === '' || short.startsWith('..') ? path : short;
}

/**
 * Loads the job that a module exports by default.
 *
 * @throws JobModuleError if the file is missing, does not load, or exports no job
 */
export async function loadJob(file: string): Promise<JobDefinition> {
  if (!existsSync(file)) {
    throw new JobModuleError(
      `there is no file ${file}`,
      { file },
      { hint: 'Give the path of the TypeScript file that exports the job.' },
    );
  }
  const exported = await importDefault(file);
  if (isJob(exported)) return exported;
  throw new JobModuleError(
    `${file} does not export a job by default`,
    { file },
    { hint: 'Write: export default job("name", (flow) => { ... });' },
  );
}

async function importDefault(file: string): Promise<unknown> {
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
    return module.default;
  } catch (cause) {
    throw new JobModuleError(`could not load ${file}`, { file }, { cause, ...hintFor(cause) });
  }
}

function hintFor(cause: unknown): { hint?: string } {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return { hint: 'Node strips types only: no enums, namespaces or parameter properties.' };
  }
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return { hint: 'Relative imports need their extension (./order.ts); packages npm install.' };
  }
  return {};
}

function isJob(value: unknown): value is JobDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'build' in value &&
    typeof value.build === 'function'
  );
}
