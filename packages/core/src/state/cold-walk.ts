import { ByteReader } from '../codec/byte-reader.ts';
import type { ColdEntry } from './cold-state.ts';
import type { ColdReader } from './cold-reader.ts';
import type { ColdSection } from './cold-section.ts';
import { BlockEntry, entryCount } from './run-block.ts';
import { corrupt } from './run-damage.ts';
import { compareBytes } from './run-format.ts';
import type { SectionDirectory } from './section-directory.ts';

const NO_BODY = new ByteReader(Buffer.alloc(0));

/** Where an entry was found; the fields are overwritten by whoever looks next. */
export class FoundEntry implements ColdEntry {
  keyGroup = 0;
  flags = 0;
  body: ByteReader = NO_BODY;
  file = '';
  fileOffset = 0;
  #block: Buffer = NO_BODY.bytes;
  #keyStart = 0;
  #keyEnd = 0;

  get key(): Uint8Array {
    return this.#block.subarray(this.#keyStart, this.#keyEnd);
  }

  set(section: ColdSection, block: Buffer, at: BlockEntry, blockStart: number): this {
    this.keyGroup = section.keyGroup;
    this.#block = block;
    this.#keyStart = at.keyStart;
    this.#keyEnd = at.keyEnd;
    this.flags = at.flags;
    this.body = new ByteReader(block, at.keyEnd, at.bodyEnd);
    this.file = section.reference.file;
    this.fileOffset = section.fileOffset + blockStart;
    return this;
  }
}

/**
 * Finds a place in a block.
 *
 * @param entry left standing on the first entry whose key is not less than `key`, if there is one
 * @returns its index, or `count`
 * @throws CorruptRunError
 */
export function lowerBound(
  block: Buffer,
  count: number,
  key: Uint8Array,
  entry: BlockEntry,
  section: ColdSection,
): number {
  let low = 0;
  let high = count;
  let stands = -1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (!entry.seek(block, count, middle)) failEntry(section);
    stands = middle;
    if (compareBytes(block, entry.keyStart, entry.keyEnd, key, 0, key.length) < 0) low = middle + 1;
    else high = middle;
  }
  if (low < count && stands !== low && !entry.seek(block, count, low)) failEntry(section);
  return low;
}

function failEntry(section: ColdSection): never {
  return corrupt(section.reference.file, section.fileOffset, 'the place of an entry');
}

/** Walks the entries of one section from a key on. */
export class SectionWalk extends BlockEntry {
  readonly section: ColdSection;
  block: Buffer = Buffer.alloc(0);
  done = false;
  readonly #reader: ColdReader;
  readonly #directory: SectionDirectory;
  readonly #to: Uint8Array | null;
  #blockIndex: number;
  #count = 0;
  #entry = 0;

  /** Stands on the first entry at or behind `from`. @throws CorruptRunError, as does `next` */
  constructor(reader: ColdReader, section: ColdSection, from: Uint8Array, to: Uint8Array | null) {
    super();
    this.section = section;
    this.#reader = reader;
    this.#directory = reader.directory(section);
    this.#to = to;
    this.#blockIndex = this.#directory.blockOf(from);
    if (this.#blockIndex < 0) {
      this.done = true;
      return;
    }
    this.#load();
    if (this.done) return;
    this.#entry = lowerBound(this.block, this.#count, from, this, section);
    this.#settle();
  }

  get blockStart(): number {
    return this.#directory.blockStart(this.#blockIndex);
  }

  next(): void {
    this.#entry++;
    this.#settle();
  }

  #settle(): void {
    if (this.#entry >= this.#count) {
      if (++this.#blockIndex >= this.#directory.blockCount) {
        this.done = true;
        return;
      }
      this.#load();
      this.#entry = 0;
      if (this.done) return;
    }
    if (!this.seek(this.block, this.#count, this.#entry)) failEntry(this.section);
    const to = this.#to;
    if (
      to !== null &&
      compareBytes(this.block, this.keyStart, this.keyEnd, to, 0, to.length) >= 0
    ) {
      this.done = true;
    }
  }

  // A block that begins behind the end is not read.
  #load(): void {
    if (this.#to !== null && this.#directory.startsAtOrAfter(this.#blockIndex, this.#to)) {
      this.done = true;
      return;
    }
    this.block = this.#reader.block(this.section, this.#directory, this.#blockIndex);
    this.#count = entryCount(this.block);
  }
}
