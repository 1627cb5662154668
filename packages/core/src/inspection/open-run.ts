import { bufferOf } from '../state/run-block.ts';
import { corrupt } from '../state/run-damage.ts';
import { readRunFooter, type RunFooter, type SectionPlace } from '../state/run-footer.ts';
import { TRAILER_BYTES } from '../state/run-format.ts';
import { directoryLength, SectionDirectory } from '../state/section-directory.ts';
import type { RunReference } from '../state/snapshot.ts';

/** Reads bytes of runs, wherever they are. */
export interface RunSource {
  /** Bytes `offset` to `offset + length` of the run; fewer if its object ends before. */
  read(reference: RunReference, offset: number, length: number): Promise<Uint8Array>;
}

/** A run whose header and footer have been read. */
export interface OpenRun {
  readonly reference: RunReference;
  readonly footer: RunFooter;
}

/** A section whose directory has been read. */
export interface OpenSection {
  readonly run: OpenRun;
  readonly place: SectionPlace;
  readonly directory: SectionDirectory;
  /** Meta and trailer, as they are stored. */
  readonly bytes: Uint8Array;
}

/** @throws CorruptRunError UnknownRunVersionError, and what the source throws */
export async function openRun(source: RunSource, reference: RunReference): Promise<OpenRun> {
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    readExactly(source, reference, offset, length);
  return { reference, footer: await readRunFooter(reference, read) };
}

/**
 * Reads a section's directory.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the source throws
 *
 * Cost: one read, in format version 1 two. Memory: about 2 % of the section, more for long keys.
 */
export async function openSection(
  source: RunSource,
  run: OpenRun,
  place: SectionPlace,
): Promise<OpenSection> {
  const { reference } = run;
  const { file, offset } = reference;
  const { start, length, keyGroup } = place;
  const end = start + length;
  const least = Math.min(TRAILER_BYTES, length);
  const wanted =
    place.directoryLength ||
    directoryLength(bufferOf(await readExactly(source, reference, end - least, least)));
  if (wanted > length) corrupt(file, offset + start, 'the length of a directory');
  const bytes = bufferOf(await readExactly(source, reference, end - wanted, wanted));
  const directory = new SectionDirectory({ file, offset: offset + start, length, keyGroup, bytes });
  return { run, place, directory, bytes };
}

/** Bytes that must be there. @throws CorruptRunError if they are not */
export async function readExactly(
  source: RunSource,
  reference: RunReference,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = await source.read(reference, offset, length);
  if (bytes.length === length) return bytes;
  const at = reference.offset + offset + bytes.length;
  return corrupt(reference.file, at, 'the file ends too early');
}
