import { ByteReader } from '../codec/byte-reader.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import { checksum } from './run-compression.ts';
import * as format from './run-format.ts';
import { corrupt, RunSection, unknownVersion } from './run-section.ts';
import type { RunStore } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/** The sections of a range of key groups of one run: contiguous bytes. Plain data. */
export interface RunSlice {
  readonly file: string;
  /** Where `bytes` begin in the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly sections: readonly SectionPlace[];
}

/** Where a section lies. */
export interface SectionPlace {
  readonly keyGroup: number;
  /** In the bytes of the slice, or of the run. */
  readonly start: number;
  readonly length: number;
}

/** Runs up to this size are read by one call, larger ones by footer and range. */
const WHOLE_RUN_BYTES = 4 << 20;
const FOOTER_READ_BYTES = 64 << 10;

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
  const { file } = reference;
  const read = await openReader(store, reference);
  const wanted = (await readPlaces(reference, read)).filter(
    ({ keyGroup }) => keyGroup >= range.first && keyGroup <= range.last,
  );
  if (wanted.length === 0) return { file, offset: reference.offset, bytes: EMPTY, sections: [] };
  const start = wanted[0]!.start;
  const end = wanted.at(-1)!.start + wanted.at(-1)!.length;
  return {
    file,
    offset: reference.offset + start,
    bytes: await read(start, end - start),
    sections: wanted.map((place) => ({ ...place, start: place.start - start })),
  };
}

/**
 * Where the sections of the reference's key groups lie in its run, in ascending order, one behind
 * the other.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws
 */
export async function readSectionPlaces(
  store: RunStore,
  reference: RunReference,
): Promise<readonly SectionPlace[]> {
  return readPlaces(reference, await openReader(store, reference));
}

type Read = (offset: number, length: number) => Uint8Array | Promise<Uint8Array>;

async function openReader(store: RunStore, reference: RunReference): Promise<Read> {
  const { file, length } = reference;
  if (length < format.HEADER_BYTES + format.FOOTER_END_BYTES) {
    corrupt(file, reference.offset, 'a run shorter than its header and footer');
  }
  const read = async (offset: number, size: number): Promise<Uint8Array> => {
    const bytes = await store.read(reference, offset, size);
    if (bytes.length !== size) corrupt(file, reference.offset + offset, 'the file ends too early');
    return bytes;
  };
  if (length > WHOLE_RUN_BYTES) return read;
  const whole = await read(0, length);
  return (offset, size) => whole.subarray(offset, offset + size);
}

async function readPlaces(reference: RunReference, read: Read): Promise<SectionPlace[]> {
  const { file, length, keyGroups } = reference;
  checkHeader(file, reference.offset, await read(0, format.HEADER_BYTES));
  const tailLength = Math.min(length, FOOTER_READ_BYTES);
  const tail = await read(length - tailLength, tailLength);
  const footerLength = footerLengthOf(file, reference, tail);
  const footer =
    footerLength <= tail.length
      ? tail.subarray(tail.length - footerLength)
      : await read(length - footerLength, footerLength);
  return readFooter(file, reference, footer).filter(
    ({ keyGroup }) => keyGroup >= keyGroups.first && keyGroup <= keyGroups.last,
  );
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

function checkHeader(file: string, offset: number, bytes: Uint8Array): void {
  const header = new ByteReader(bytes);
  if (header.u32() !== format.RUN_MAGIC) corrupt(file, offset, 'not a run');
  const version = header.u32();
  if (header.u32() !== checksum(bytes.subarray(0, 8))) {
    corrupt(file, offset, 'the checksum of the header');
  }
  if (version !== format.RUN_VERSION) throw unknownVersion(file, version);
}

function footerLengthOf(file: string, reference: RunReference, tail: Uint8Array): number {
  const end = new ByteReader(tail, tail.length - format.FOOTER_END_BYTES);
  const count = end.u32();
  end.u32();
  const at = reference.offset + reference.length - format.FOOTER_END_BYTES;
  if (end.u32() !== format.RUN_MAGIC) corrupt(file, at, 'not the end of a run');
  const length = count * format.FOOTER_ENTRY_BYTES + format.FOOTER_END_BYTES;
  if (length > reference.length - format.HEADER_BYTES)
    corrupt(file, at, 'the length of the footer');
  return length;
}

function readFooter(file: string, reference: RunReference, footer: Uint8Array): SectionPlace[] {
  const reader = new ByteReader(footer);
  const footerStart = reference.length - footer.length;
  const fail = (reason: string): never => corrupt(file, reference.offset + footerStart, reason);
  const crc = checksum(footer.subarray(0, footer.length - 8));
  if (crc !== reader.view.getUint32(footer.length - 8, true)) fail('the checksum of the footer');
  const places: SectionPlace[] = [];
  let next = format.HEADER_BYTES;
  let previous = -1;
  while (reader.remaining > format.FOOTER_END_BYTES) {
    const keyGroup = reader.u16();
    const start = reader.f64();
    const length = reader.u32();
    reader.u32();
    if (start !== next || keyGroup <= previous) fail('sections do not follow each other');
    next = start + length;
    previous = keyGroup;
    places.push({ keyGroup, start, length });
  }
  if (next !== footerStart) fail('sections do not end where the footer begins');
  return places;
}
