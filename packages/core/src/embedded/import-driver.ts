import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StorageDriverMissingError } from './job-errors.ts';

/**
 * Loads the package of a storage driver.
 *
 * @param directory what it is needed for
 * @throws StorageDriverMissingError if it is not installed
 */
export async function importDriver(name: string, directory: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    if (!isMissing(error, name)) throw error;
  }
  // Package managers that let a package see nothing but what it names (pnpm): ask from where the
  // user installs.
  try {
    const fromHere = createRequire(join(process.cwd(), 'package.json'));
    return await import(pathToFileURL(fromHere.resolve(name)).href);
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    throw new StorageDriverMissingError(
      `"${directory}" needs the package ${name}, which is not installed`,
      { directory, package: name },
      { cause, hint: `Run: npm i ${name}` },
    );
  }
}

function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const isNotFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
  return isNotFound && error.message.includes(`'${name}'`);
}
