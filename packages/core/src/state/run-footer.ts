import { ByteReader } from '../codec/byte-reader.ts';
import { bufferOf } from './run-block.ts';
import { checksum } from './run-compression.ts';
import { corrupt, guarded, unknownVersion } from './run-damage.ts';
import * as format from './run-format.ts';
import { readTables } from './section-directory.ts';
import type { RunReference } from './snapshot.ts';

/** Where a section lies, relative to the run. */
export interface SectionPlace {
  readonly keyGroup: number;
  readonly start: number;
  readonly length: number;
  /** Of its meta and trailer; 0 = not known (version 1): it stands in the trailer. */
  readonly directoryLength: number;
  readonly entries: number;
}

/** What a run says about itself at its end. */
export interface RunFooter {
  readonly version: number;
  /** Of all sections; null in version 1, whose sections must be asked. */
  readonly tables: readonly format.TableRecord[] | null;
  /** In ascending order of key group. */
  readonly sections: readonly SectionPlace[];
}

/** Enough for most footers, in one read. */
export const FOOTER_GUESS_BYTES = 8_192;

/**
 * The length of the footer of a run whose header has been checked, or whose footer `isKnown`.
 *
 * @param tail the last bytes of the run
 * @throws CorruptRunError
 */
export function footerLength(reference: RunReference, tail: Buffer): number {
  const { file, offset, length } = reference;
  const fail = (reason: string): never => corrupt(file, offset + length - 4, reason);
  if (tail.length < format.FOOTER_END_BYTES) fail('a run shorter than its footer');
  const magic = tail.readUInt32LE(tail.length - 4);
  let footer: number;
  if (magic === format.FOOTER_MAGIC) {
    const version = tail.readUInt32LE(tail.length - 12);
    const sections = tail.readUInt32LE(tail.length - 16);
    const tablesLength = tail.readUInt32LE(tail.length - 20);
    if (version !== format.RUN_VERSION) fail('the version of the footer');
    footer = tablesLength + sections * format.FOOTER_ENTRY_BYTES + format.FOOTER_END_BYTES;
  } else if (magic === format.RUN_MAGIC) {
    const sections = tail.readUInt32LE(tail.length - 12);
    footer = sections * format.FOOTER_ENTRY_BYTES_1 + format.FOOTER_END_BYTES_1;
  } else {
    return fail('not the end of a run');
  }
  if (footer > length - format.HEADER_BYTES) fail('the length of the footer');
  return footer;
}

/** @param bytes exactly the footer. @throws CorruptRunError */
export function readFooter(reference: RunReference, bytes: Buffer): RunFooter {
  const footerStart = reference.length - bytes.length;
  const at = reference.offset + footerStart;
  const fail = (reason: string): never => corrupt(reference.file, at, reason);
  const isFirstVersion = bytes.readUInt32LE(bytes.length - 4) === format.RUN_MAGIC;
  const crc = checksum(bytes.subarray(0, bytes.length - 8));
  if (crc !== bytes.readUInt32LE(bytes.length - 8)) fail('the checksum of the footer');
  const end = isFirstVersion ? format.FOOTER_END_BYTES_1 : format.FOOTER_END_BYTES;
  const reader = new ByteReader(bytes, 0, bytes.length - end);
  const tables = isFirstVersion ? null : guarded(reference.file, at, () => readTables(reader));
  const sections: SectionPlace[] = [];
  let next = format.HEADER_BYTES;
  let previous = -1;
  while (reader.remaining > 0) {
    const place = guarded(reference.file, at, () => readPlace(reader, isFirstVersion));
    if (place.start !== next || place.keyGroup <= previous) fail('sections do not follow');
    next = place.start + place.length;
    previous = place.keyGroup;
    sections.push(place);
  }
  if (next !== footerStart) fail('sections do not end where the footer begins');
  return { version: isFirstVersion ? 1 : format.RUN_VERSION, tables, sections };
}

/** False: damaged, or of a newer version; the header tells which. */
export function isKnownFooter(tail: Buffer): boolean {
  if (tail.length < format.FOOTER_END_BYTES) return true;
  const magic = tail.readUInt32LE(tail.length - 4);
  if (magic === format.RUN_MAGIC) return true;
  return (
    magic === format.FOOTER_MAGIC && tail.readUInt32LE(tail.length - 12) === format.RUN_VERSION
  );
}

/** Checks the first `HEADER_BYTES` of a run. @throws CorruptRunError UnknownRunVersionError */
export function checkHeader(reference: RunReference, bytes: Buffer): void {
  const { file, offset } = reference;
  if (bytes.readUInt32LE(0) !== format.RUN_MAGIC) corrupt(file, offset, 'not a run');
  if (bytes.readUInt32LE(8) !== checksum(bytes.subarray(0, 8))) {
    corrupt(file, offset, 'the checksum of the header');
  }
  const version = bytes.readUInt32LE(4);
  if (version < 1 || version > format.RUN_VERSION) throw unknownVersion(file, version);
}

/**
 * Reads header and footer of a run.
 *
 * @param read gives exactly so many bytes of the run
 * @throws CorruptRunError UnknownRunVersionError, and what `read` throws
 */
export async function readRunFooter(
  reference: RunReference,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<RunFooter> {
  const { file, offset, length } = reference;
  if (length < format.HEADER_BYTES + format.FOOTER_END_BYTES_1) {
    corrupt(file, offset, 'a run shorter than its header and footer');
  }
  checkHeader(reference, bufferOf(await read(0, format.HEADER_BYTES)));
  const tailLength = Math.min(length, FOOTER_GUESS_BYTES);
  const tail = bufferOf(await read(length - tailLength, tailLength));
  const footer = footerLength(reference, tail);
  if (footer <= tail.length) return readFooter(reference, tail.subarray(tail.length - footer));
  return readFooter(reference, bufferOf(await read(length - footer, footer)));
}

function readPlace(reader: ByteReader, isFirstVersion: boolean): SectionPlace {
  const keyGroup = reader.u16();
  const start = reader.f64();
  const length = reader.u32();
  const directoryLength = isFirstVersion ? 0 : reader.u32() + format.TRAILER_BYTES;
  return { keyGroup, start, length, directoryLength, entries: reader.u32() };
}
