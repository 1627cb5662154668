import { ByteReader } from '../codec/byte-reader.ts';
import { malformed } from '../codec/codec-errors.ts';
import type { ShapeRecord } from '../codec/shape-table.ts';
import { BloomFilter } from './bloom-filter.ts';
import { checksum } from './run-compression.ts';
import { corrupt, guarded, unknownVersion } from './run-damage.ts';
import * as format from './run-format.ts';

/** Where a directory comes from: the meta and the trailer of a section, its last bytes. */
export interface DirectorySource {
  readonly file: string;
  /** Where the section begins in the file. */
  readonly offset: number;
  readonly length: number;
  readonly keyGroup: number;
  /** Meta and trailer; bytes of the section before them are ignored. Kept. */
  readonly bytes: Buffer;
}

/**
 * What is needed to find a key in a section: index and filter, checked. Three numbers per block
 * beside the stored bytes, and no object per block or key.
 */
export class SectionDirectory {
  readonly entries: number;
  readonly blockCount: number;
  readonly tables: readonly format.TableRecord[];
  readonly shapes: readonly ShapeRecord[];
  /** Whether the filter knows prefixes (table id, key). */
  readonly filtersPrefixes: boolean;
  readonly #bytes: Buffer;
  /** Where each block ends in the section; it begins where the one before ends. */
  readonly #blockEnds: Uint32Array;
  /** Of the keys of all blocks and the last key, in `#bytes`. */
  readonly #keyStarts: Uint32Array;
  readonly #keyEnds: Uint32Array;
  readonly #filter: BloomFilter;

  /** @throws CorruptRunError UnknownRunVersionError */
  constructor(source: DirectorySource) {
    const { file, offset, bytes } = source;
    const trailer = readTrailer(source);
    const start = bytes.length - format.TRAILER_BYTES - trailer.metaLength;
    const meta = new ByteReader(bytes, start, start + trailer.metaLength);
    const metaOffset = source.length - format.TRAILER_BYTES - trailer.metaLength;
    const { blocks } = trailer;
    this.entries = trailer.entries;
    this.blockCount = blocks;
    this.filtersPrefixes = trailer.version > 1;
    this.#bytes = bytes;
    // Eight bytes of the index per block at least: garbage must not ask for much memory.
    if (blocks * 8 > trailer.metaLength) corrupt(file, offset, 'the number of blocks');
    this.#blockEnds = new Uint32Array(blocks);
    this.#keyStarts = new Uint32Array(blocks + 1);
    this.#keyEnds = new Uint32Array(blocks + 1);
    const names = guarded(file, offset + metaOffset - start, () => {
      const read = { tables: readTables(meta), shapes: readShapes(meta) };
      if (trailer.version === 1) this.#readIndex1(meta);
      else this.#readIndex(meta);
      return read;
    });
    this.tables = names.tables;
    this.shapes = names.shapes;
    this.#filter = readFilter(source, meta);
    let previous = 0;
    for (const end of this.#blockEnds) {
      if (end < previous + format.BLOCK_HEADER_BYTES) {
        corrupt(file, offset + previous, 'blocks do not follow each other');
      }
      previous = end;
    }
    if (previous !== metaOffset) {
      corrupt(file, offset + previous, 'blocks do not end where the directory begins');
    }
  }

  /** Memory that it takes. */
  get sizeBytes(): number {
    return this.#bytes.length + this.blockCount * 12 + 800;
  }

  /** Where a block begins in the section. */
  blockStart(block: number): number {
    return block === 0 ? 0 : this.#blockEnds[block - 1]!;
  }

  blockLength(block: number): number {
    return this.#blockEnds[block]! - this.blockStart(block);
  }

  /** @returns false only if no key (or prefix, if it filters prefixes) of that hash is there */
  mayContain(hash: number): boolean {
    return this.#filter.mayContain(hash);
  }

  /**
   * The block that holds the first key that is not less than `key`, or the one before it.
   *
   * @returns -1 if all keys are less
   *
   * Cost: O(log blocks), nothing is allocated.
   */
  blockOf(key: Uint8Array): number {
    if (this.#compare(this.blockCount, key) < 0) return -1;
    let low = 0;
    let high = this.blockCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#compare(middle, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether all keys of that block and of those after it are at or behind `key`. */
  startsAtOrAfter(block: number, key: Uint8Array): boolean {
    return this.#compare(block, key) >= 0;
  }

  #compare(index: number, key: Uint8Array): number {
    const start = this.#keyStarts[index]!;
    return format.compareBytes(this.#bytes, start, this.#keyEnds[index]!, key, 0, key.length);
  }

  #readIndex(meta: ByteReader): void {
    for (let i = 0; i < this.blockCount; i++) this.#blockEnds[i] = meta.u32();
    const keyEnds = this.#keyEnds;
    for (let i = 0; i < keyEnds.length; i++) keyEnds[i] = meta.u32();
    const keys = meta.take(keyEnds.at(-1)!);
    let previous = 0;
    for (let i = 0; i < keyEnds.length; i++) {
      this.#keyStarts[i] = keys + previous;
      if (keyEnds[i]! < previous) malformed('keys of an index overlap', keys + previous);
      previous = keyEnds[i]!;
      keyEnds[i] = keys + previous;
    }
  }

  #readIndex1(meta: ByteReader): void {
    let next = 0;
    for (let i = 0; i <= this.blockCount; i++) {
      if (i < this.blockCount) {
        const offset = meta.u32();
        // Blocks that leave a hole or overlap fail the check of their lengths.
        next = offset === next ? next + meta.u32() : 0;
        this.#blockEnds[i] = next;
      }
      const length = meta.u32();
      this.#keyStarts[i] = meta.take(length);
      this.#keyEnds[i] = meta.position;
    }
  }
}

interface Trailer {
  readonly version: number;
  readonly entries: number;
  readonly blocks: number;
  readonly metaLength: number;
}

function readTrailer({ file, offset, length, keyGroup, bytes }: DirectorySource): Trailer {
  const at = bytes.length - format.TRAILER_BYTES;
  const trailerOffset = offset + length - format.TRAILER_BYTES;
  const fail = (reason: string): never => corrupt(file, trailerOffset, reason);
  if (at < 0) fail('a section shorter than its trailer');
  if (bytes.readUInt32LE(at + 24) !== format.RUN_MAGIC) fail('no section here');
  const metaLength = bytes.readUInt32LE(at + 12);
  if (metaLength > at) fail('the length of a directory');
  const crc = checksum(bytes.subarray(at - metaLength, at + 20));
  if (crc !== bytes.readUInt32LE(at + 20)) fail('the checksum of a directory');
  const version = bytes.readUInt16LE(at + 2);
  if (version < 1 || version > format.RUN_VERSION) throw unknownVersion(file, version);
  if (bytes.readUInt16LE(at) !== keyGroup) fail('another key group');
  if (bytes.readUInt32LE(at + 16) !== length) fail('another length');
  const entries = bytes.readUInt32LE(at + 4);
  const blocks = bytes.readUInt32LE(at + 8);
  if (entries === 0 || blocks === 0 || blocks > entries) fail('the number of entries');
  return { version, entries, blocks, metaLength };
}

function readFilter({ file, offset, bytes }: DirectorySource, meta: ByteReader): BloomFilter {
  try {
    return new BloomFilter(bytes, meta.position, meta.end);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return corrupt(file, offset, 'the filter of a directory', cause);
  }
}

/** The length of the directory of a section: of meta and trailer. @param trailer its last bytes */
export function directoryLength(trailer: Buffer): number {
  const metaLength = trailer.readUInt32LE(trailer.length - format.TRAILER_BYTES + 12);
  return metaLength + format.TRAILER_BYTES;
}

/** Tables as they stand in metas and footers. @throws MalformedDataError */
export function readTables(reader: ByteReader): format.TableRecord[] {
  const tables: format.TableRecord[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const id = reader.u32();
    const table = JSON.parse(readText(reader)) as Omit<format.TableRecord, 'id'>;
    tables.push({ id, ...table });
  }
  return tables;
}

function readShapes(meta: ByteReader): ShapeRecord[] {
  const shapes: ShapeRecord[] = [];
  for (let left = meta.u32(); left > 0; left--) {
    shapes.push({ low: meta.u32(), high: meta.u32(), names: readText(meta) });
  }
  return shapes;
}

function readText(reader: ByteReader): string {
  const length = reader.u32();
  const at = reader.take(length);
  return reader.bytes.toString('utf8', at, at + length);
}
