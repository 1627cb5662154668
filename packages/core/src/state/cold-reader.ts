import type { BlockCache } from './block-cache.ts';
import type { ColdRun } from './cold-run.ts';
import type { ColdSection } from './cold-section.ts';
import { bufferOf } from './run-block.ts';
import { corrupt, guarded } from './run-damage.ts';
import { checkHeader, FOOTER_GUESS_BYTES, footerLength, isKnownFooter } from './run-footer.ts';
import { HEADER_BYTES, TRAILER_BYTES } from './run-format.ts';
import type { RunStore } from './run-store.ts';
import { directoryLength, type SectionDirectory } from './section-directory.ts';
import type { RunReference } from './snapshot.ts';
import type { ShapeTable } from '../codec/shape-table.ts';

/** How much was read of runs; only grows. One may be shared by all operators of a thread. */
export class ColdFigures {
  /** Reads that held up the thread. */
  blockingReads = 0;
  blockingBytes = 0;
  /** Reads of `prefetch`. */
  prefetchReads = 0;
  prefetchBytes = 0;
  /** Look-ups in a run that its filter answered. */
  filtered = 0;
  /** Look-ups that the filter let through in vain. */
  falsePositives = 0;
}

/** Reads what the parts of a cold state lack. */
export class ColdReader {
  readonly cache: BlockCache;
  readonly figures: ColdFigures;
  readonly shapes: ShapeTable;
  readonly #runStore: RunStore;

  constructor(runStore: RunStore, cache: BlockCache, figures: ColdFigures, shapes: ShapeTable) {
    this.#runStore = runStore;
    this.cache = cache;
    this.figures = figures;
    this.shapes = shapes;
  }

  /** Reads the footer of a run. @throws CorruptRunError UnknownRunVersionError */
  openRun(run: ColdRun): void {
    const { reference } = run;
    const { length } = reference;
    const tailLength = Math.min(length, FOOTER_GUESS_BYTES);
    const tail = bufferOf(this.#read(reference, length - tailLength, tailLength));
    // Damaged, or of a newer version: the header tells which.
    if (!isKnownFooter(tail)) {
      checkHeader(reference, bufferOf(this.#read(reference, 0, HEADER_BYTES)));
    }
    const footer = footerLength(reference, tail);
    run.acceptFooter(
      footer <= tail.length
        ? tail.subarray(tail.length - footer)
        : bufferOf(this.#read(reference, length - footer, footer)),
    );
  }

  /** The directory of a section, from memory or read now. Counts as used. */
  directory(section: ColdSection): SectionDirectory {
    if (section.directory !== null) {
      section.touchDirectory();
      return section.directory;
    }
    const { reference, place } = section;
    if (section.directoryLength === 0) {
      const trailerLength = Math.min(TRAILER_BYTES, place.length);
      const start = section.directoryStart(trailerLength);
      const trailer = this.#read(reference, start, trailerLength);
      section.directoryLength = directoryLengthOf(section, trailer);
    }
    const wanted = section.directoryLength;
    return this.acceptDirectory(
      section,
      this.#read(reference, section.directoryStart(wanted), wanted),
    );
  }

  /** Takes in a directory that was read, and its shapes. */
  acceptDirectory(section: ColdSection, bytes: Uint8Array): SectionDirectory {
    const directory = section.acceptDirectory(bytes);
    guarded(section.reference.file, section.fileOffset, () => {
      for (const shape of directory.shapes) this.shapes.add(shape);
    });
    return directory;
  }

  /** A block, from memory or read now. */
  block(section: ColdSection, directory: SectionDirectory, index: number): Buffer {
    const cached = section.block(index);
    if (cached !== undefined) {
      this.cache.hits++;
      return cached;
    }
    this.cache.misses++;
    const start = section.place.start + directory.blockStart(index);
    const bytes = this.#read(section.reference, start, directory.blockLength(index));
    return section.acceptBlock(directory, index, bytes);
  }

  /** @returns exactly so many bytes. @throws CorruptRunError if the run ends before */
  async readBeside(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    this.#runStore.hold?.(reference);
    try {
      const bytes = await this.#runStore.read(reference, offset, length);
      this.figures.prefetchReads++;
      this.figures.prefetchBytes += length;
      return checked(reference, offset, length, bytes);
    } finally {
      this.#runStore.letGo?.(reference);
    }
  }

  #read(reference: RunReference, offset: number, length: number): Uint8Array {
    const bytes = this.#runStore.readNow(reference, offset, length);
    this.figures.blockingReads++;
    this.figures.blockingBytes += length;
    return checked(reference, offset, length, bytes);
  }
}

function checked(
  reference: RunReference,
  offset: number,
  length: number,
  bytes: Uint8Array,
): Uint8Array {
  if (bytes.length !== length) {
    corrupt(reference.file, reference.offset + offset, 'the file ends too early');
  }
  return bytes;
}

/** The length of a directory by its trailer. @throws CorruptRunError */
export function directoryLengthOf(section: ColdSection, trailer: Uint8Array): number {
  const { reference, place, fileOffset } = section;
  const bytes = bufferOf(trailer);
  const length = bytes.length < TRAILER_BYTES ? place.length + 1 : directoryLength(bytes);
  if (length > place.length) corrupt(reference.file, fileOffset, 'the length of a directory');
  return length;
}
