import { StorageNameError, type StorageErrorDetails } from './storage-errors.ts';

const PART = /^[A-Za-z0-9._-]+$/;

/**
 * Checks the name of an object: parts joined by `/`, none of them `.` or `..`.
 *
 * @throws StorageNameError
 */
export function checkObjectName(details: StorageErrorDetails): void {
  const isGood = details.name
    .split('/')
    .every((part) => PART.test(part) && part !== '.' && part !== '..');
  if (isGood) return;
  throw new StorageNameError(`"${details.name}" cannot be the name of an object`, details, {
    hint: 'Use parts of letters, digits, ".", "_" and "-", joined by "/".',
  });
}

/** Compares names as `list` orders them: by UTF-16 unit, as all storages do for these names. */
export function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
