import { ABSENT_KEY } from '../codec/key-codec.ts';
import { bloomHash } from './bloom-filter.ts';
import type { ColdSection } from './cold-section.ts';
import { lowerBound } from './cold-walk.ts';
import { type BlockEntry, entryCount } from './run-block.ts';
import { compareBytes } from './run-format.ts';
import type { SectionDirectory } from './section-directory.ts';

/**
 * Whether a block holds exactly that key.
 *
 * @param entry stands on it then
 * @throws CorruptRunError
 */
export function holds(
  block: Buffer,
  key: Uint8Array,
  entry: BlockEntry,
  section: ColdSection,
): boolean {
  const count = entryCount(block);
  if (lowerBound(block, count, key, entry, section) === count) return false;
  return compareBytes(block, entry.keyStart, entry.keyEnd, key, 0, key.length) === 0;
}

/** What the filters are asked for a prefix (table id, key): see run-format.ts. */
export interface PrefixHashes {
  readonly prefix: number;
  /** Of the whole key whose sub key is absent. */
  readonly whole: number;
}

/** Cost: O(length). */
export function prefixHashes(prefix: Uint8Array): PrefixHashes {
  const whole = new Uint8Array(prefix.length + 1);
  whole.set(prefix);
  whole[prefix.length] = ABSENT_KEY;
  return {
    prefix: bloomHash(prefix, 0, prefix.length),
    whole: bloomHash(whole, 0, whole.length),
  };
}

/** @returns false only if the section holds no key with that prefix */
export function mayContainPrefix(directory: SectionDirectory, hashes: PrefixHashes): boolean {
  if (!directory.filtersPrefixes) return true;
  return directory.mayContain(hashes.prefix) || directory.mayContain(hashes.whole);
}
