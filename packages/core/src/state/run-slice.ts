import type { KeyGroupRange } from '../element/key-group.ts';
import { corrupt } from './run-damage.ts';
import { readRunFooter } from './run-footer.ts';
import { RunSection } from './run-section.ts';
import type { RunStore } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/** The sections of a range of key groups of one run: contiguous bytes. Plain data. */
export interface RunSlice {
  readonly file: string;
  /** Where `bytes` begin in the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly sections: readonly SlicedSection[];
}

/** Where a section lies in a slice. */
export interface SlicedSection {
  readonly keyGroup: number;
  /** In the slice's bytes. */
  readonly start: number;
  readonly length: number;
}

/** Runs up to this size are read by one call, larger ones by footer and range. */
const WHOLE_RUN_BYTES = 4 << 20;

/**
 * Reads the sections of a run that lie both in the reference's and in the given key groups, and no
 * other section. Blocks are checked when they are used.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws
 */
export async function readRunSlice(
  store: RunStore,
  reference: RunReference,
  range: KeyGroupRange,
): Promise<RunSlice> {
  const { file, keyGroups } = reference;
  const read = await openReader(store, reference);
  const first = Math.max(range.first, keyGroups.first);
  const last = Math.min(range.last, keyGroups.last);
  const { sections } = await readRunFooter(reference, read);
  const wanted = sections.filter(({ keyGroup }) => keyGroup >= first && keyGroup <= last);
  if (wanted.length === 0) return { file, offset: reference.offset, bytes: EMPTY, sections: [] };
  const start = wanted[0]!.start;
  const end = wanted.at(-1)!.start + wanted.at(-1)!.length;
  return {
    file,
    offset: reference.offset + start,
    bytes: await read(start, end - start),
    sections: wanted.map((section) => ({
      keyGroup: section.keyGroup,
      start: section.start - start,
      length: section.length,
    })),
  };
}

type Read = (offset: number, length: number) => Promise<Uint8Array>;

async function openReader(store: RunStore, reference: RunReference): Promise<Read> {
  const { file, length } = reference;
  const read = async (offset: number, size: number): Promise<Uint8Array> => {
    const bytes = await store.read(reference, offset, size);
    if (bytes.length !== size) corrupt(file, reference.offset + offset, 'the file ends too early');
    return bytes;
  };
  if (length > WHOLE_RUN_BYTES) return read;
  const whole = await read(0, length);
  return async (offset, size) => whole.subarray(offset, offset + size);
}

/** The sections of a slice, each with its directory checked. */
export function openSections(slice: RunSlice): RunSection[] {
  return slice.sections.map(
    ({ keyGroup, start, length }) =>
      new RunSection({
        file: slice.file,
        offset: slice.offset + start,
        keyGroup,
        bytes: slice.bytes.subarray(start, start + length),
      }),
  );
}

const EMPTY = new Uint8Array(0);
