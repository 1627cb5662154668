import type { EncodedRun } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/** The reference to a run that stands at an offset of an object. */
export function referenceTo(
  file: string,
  offset: number,
  run: EncodedRun,
  isMerged: boolean,
): RunReference {
  const { length, crc32, firstKeyGroup: first, lastKeyGroup: last, entries, entryBytes } = run;
  return {
    file,
    offset,
    length,
    crc32,
    keyGroups: { first, last },
    entries,
    ...(entryBytes === undefined ? {} : { entryBytes }),
    ...(isMerged ? { isMerged } : {}),
  };
}

/** Tells runs apart: equal for two references to one run, also if they are cut differently. */
export function runIdOf({ file, offset }: RunReference): string {
  return `${file}:${offset}`;
}
