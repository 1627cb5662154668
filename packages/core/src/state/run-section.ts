import { ByteReader } from '../codec/byte-reader.ts';
import { MalformedDataError } from '../codec/codec-errors.ts';
import type { ShapeRecord } from '../codec/shape-table.ts';
import { checksum, decompress } from './run-compression.ts';
import * as format from './run-format.ts';
import { CorruptRunError, UnknownRunVersionError } from './state-errors.ts';

/** A section's bytes and where they come from. */
export interface SectionBytes {
  readonly file: string;
  /** Where the section begins in the file. */
  readonly offset: number;
  readonly keyGroup: number;
  readonly bytes: Uint8Array;
}

/** @throws CorruptRunError always */
export function corrupt(file: string, offset: number, reason: string, cause?: unknown): never {
  throw new CorruptRunError(
    `"${file}" is damaged at byte ${offset}: ${reason}`,
    { file, offset, reason },
    {
      hint: 'Restore from an older checkpoint; `checkpoints verify` lists the damage.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** Runs `read`; garbage found by the codec is damage of this file. */
export function guarded<T>(file: string, offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedDataError)) throw error;
    return corrupt(file, offset + error.details.position, error.details.reason, error);
  }
}

interface BlockPlace {
  readonly offset: number;
  readonly length: number;
}

/** The entries of one key group in one run, checked; format in run-format.ts. */
export class RunSection {
  readonly source: SectionBytes;
  readonly entries: number;
  readonly tables: readonly format.TableRecord[];
  readonly shapes: readonly ShapeRecord[];
  readonly blocks: readonly BlockPlace[];
  readonly #reader: ByteReader;

  /**
   * Reads the section's directory; blocks are checked when they are read.
   *
   * @throws CorruptRunError UnknownRunVersionError
   */
  constructor(source: SectionBytes) {
    this.source = source;
    this.#reader = new ByteReader(source.bytes);
    const trailer = this.#trailer();
    const end = source.bytes.length - format.TRAILER_BYTES;
    const metaStart = end - trailer.metaLength;
    const meta = new ByteReader(source.bytes, metaStart, end);
    this.entries = trailer.entries;
    const parsed = guarded(source.file, source.offset, () => {
      const tables = readTables(meta);
      const shapes = readShapes(meta);
      return { tables, shapes, blocks: readIndex(meta, trailer.blocks) };
    });
    this.tables = parsed.tables;
    this.shapes = parsed.shapes;
    this.blocks = parsed.blocks;
    let next = 0;
    for (const block of this.blocks) {
      if (block.offset !== next) this.#fail(block.offset, 'blocks do not follow each other');
      next += block.length;
    }
    if (next !== metaStart) this.#fail(next, 'blocks do not end where the directory begins');
  }

  /** The raw bytes of a block. @throws CorruptRunError */
  block(index: number): Buffer {
    const { offset, length } = this.blocks[index]!;
    const { view, bytes } = this.#reader;
    if (length < format.BLOCK_HEADER_BYTES) this.#fail(offset, 'a block shorter than its header');
    const payloadLength = view.getUint32(offset, true);
    const rawLength = view.getUint32(offset + 4, true);
    const codec = bytes[offset + 8]!;
    const start = offset + format.BLOCK_HEADER_BYTES;
    const payload = bytes.subarray(start, offset + length);
    const crc = checksum(payload, checksum(bytes.subarray(offset, offset + 9)));
    if (crc !== view.getUint32(offset + 9, true)) this.#fail(offset, 'the checksum of a block');
    if (payload.length !== payloadLength || codec > format.CODEC_ZSTD) {
      this.#fail(offset, 'the header of a block');
    }
    let raw: Uint8Array;
    try {
      raw = decompress(codec, payload, rawLength);
    } catch (cause) {
      corrupt(this.source.file, this.source.offset + offset, 'a block does not unpack', cause);
    }
    if (raw.length !== rawLength) this.#fail(offset, 'the length of a block');
    return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  }

  #trailer(): { entries: number; blocks: number; metaLength: number } {
    const { source } = this;
    const { bytes, view } = this.#reader;
    const at = bytes.length - format.TRAILER_BYTES;
    if (at < 0) this.#fail(0, 'a section shorter than its trailer');
    if (view.getUint32(at + 24, true) !== format.RUN_MAGIC) this.#fail(at + 24, 'no section here');
    const metaLength = view.getUint32(at + 12, true);
    if (metaLength > at) this.#fail(at + 12, 'the length of a directory');
    const crc = checksum(bytes.subarray(at - metaLength, at + 20));
    if (crc !== view.getUint32(at + 20, true)) this.#fail(at, 'the checksum of a directory');
    const version = view.getUint16(at + 2, true);
    if (version !== format.RUN_VERSION) throw unknownVersion(source.file, version);
    if (view.getUint16(at, true) !== source.keyGroup) this.#fail(at, 'another key group');
    if (view.getUint32(at + 16, true) !== bytes.length) this.#fail(at + 16, 'another length');
    return {
      entries: view.getUint32(at + 4, true),
      blocks: view.getUint32(at + 8, true),
      metaLength,
    };
  }

  #fail(at: number, reason: string): never {
    return corrupt(this.source.file, this.source.offset + at, reason);
  }
}

/** The error for a format that this Millrace does not know. */
export function unknownVersion(file: string, version: number): UnknownRunVersionError {
  return new UnknownRunVersionError(
    `"${file}" has format version ${version}; this Millrace reads version ${format.RUN_VERSION}`,
    { file, version },
    { hint: 'Use the Millrace that wrote it, or a newer one.' },
  );
}

function readTables(meta: ByteReader): format.TableRecord[] {
  const tables: format.TableRecord[] = [];
  for (let left = meta.u32(); left > 0; left--) {
    const id = meta.u32();
    const table = JSON.parse(readText(meta)) as Omit<format.TableRecord, 'id'>;
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

function readIndex(meta: ByteReader, count: number): BlockPlace[] {
  const blocks: BlockPlace[] = [];
  for (let i = 0; i < count; i++) {
    blocks.push({ offset: meta.u32(), length: meta.u32() });
    meta.take(meta.u32());
  }
  return blocks;
}

function readText(reader: ByteReader): string {
  const length = reader.u32();
  const at = reader.take(length);
  return reader.bytes.toString('utf8', at, at + length);
}
