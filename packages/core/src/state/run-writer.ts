import { assert } from '../base/assert.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { bloomHash, buildBloomFilter } from './bloom-filter.ts';
import { checksum, compress } from './run-compression.ts';
import * as format from './run-format.ts';
import type { EncodedRun } from './run-store.ts';
import { StateTooLargeError } from './state-errors.ts';

/** Bytes per chunk of an encoded run. */
const CHUNK_BYTES = 1 << 20;

/** How the blocks of a run are packed. */
export type RunCompression = 'zstd' | 'none';

interface WrittenSection {
  readonly keyGroup: number;
  readonly offset: number;
  readonly length: number;
  readonly entries: number;
}

/**
 * Lays out a run; format in run-format.ts.
 *
 *   (beginSection -> add* -> endSection)* -> finish
 *
 * The caller adds key groups, and keys within them, in ascending order and each key once.
 */
export class RunWriter {
  readonly #compression: RunCompression;
  readonly #blockBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #chunk = new ByteWriter(4_096);
  #length = 0;
  #crc = 0;
  readonly #sections: WrittenSection[] = [];
  readonly #block = new ByteWriter(4_096);
  readonly #offsets: number[] = [];
  readonly #index = new ByteWriter(1_024);
  readonly #hashes: number[] = [];
  #names: format.SectionNames = { tables: [], shapes: [] };
  #keyGroup = -1;
  #sectionStart = 0;
  #blocks = 0;
  #firstKey: Uint8Array = new Uint8Array(0);
  readonly #last: { source: Buffer; start: number; end: number } = {
    source: Buffer.alloc(0),
    start: 0,
    end: 0,
  };

  constructor(compression: RunCompression = 'zstd', blockBytes = format.BLOCK_BYTES) {
    this.#compression = compression;
    this.#blockBytes = blockBytes;
    const header = new ByteWriter(format.HEADER_BYTES);
    header.u32(format.RUN_MAGIC);
    header.u32(format.RUN_VERSION);
    header.u32(checksum(header.written()));
    this.#emit(header.written());
  }

  beginSection(keyGroup: number, names: format.SectionNames): void {
    assert(keyGroup > this.#keyGroup, 'sections come in ascending order of key group');
    this.#keyGroup = keyGroup;
    this.#names = names;
    this.#sectionStart = this.#length;
    this.#index.position = 0;
    this.#hashes.length = 0;
    this.#blocks = 0;
  }

  /**
   * One entry: key and body stand one behind the other in `source`, which is not changed before
   * `endSection`.
   */
  add(source: Buffer, keyStart: number, keyEnd: number, bodyEnd: number, flags: number): void {
    const block = this.#block;
    if (block.position === 0) this.#firstKey = source.subarray(keyStart, keyEnd);
    this.#offsets.push(block.position);
    block.u32(keyEnd - keyStart);
    block.u32((bodyEnd - keyEnd + flags) >>> 0);
    block.reserve(bodyEnd - keyStart);
    block.position += source.copy(block.bytes, block.position, keyStart, bodyEnd);
    this.#hashes.push(bloomHash(source, keyStart, keyEnd));
    this.#last.source = source;
    this.#last.start = keyStart;
    this.#last.end = keyEnd;
    if (block.position >= this.#blockBytes) this.#endBlock();
  }

  /** A section without entries leaves no trace. */
  endSection(): void {
    if (this.#hashes.length === 0) return;
    if (this.#block.position > 0) this.#endBlock();
    const meta = this.#meta();
    const metaLength = meta.position;
    const length = this.#length - this.#sectionStart + metaLength + format.TRAILER_BYTES;
    if (length > format.MAX_SECTION_BYTES) {
      throw new StateTooLargeError(
        `the entries of key group ${this.#keyGroup} take ${length} bytes in one run`,
        { what: `key group ${this.#keyGroup}`, bytes: length },
        { hint: 'Raise maxParallelism: more key groups make smaller ones.' },
      );
    }
    meta.u16(this.#keyGroup);
    meta.u16(format.RUN_VERSION);
    meta.u32(this.#hashes.length);
    meta.u32(this.#blocks);
    meta.u32(metaLength);
    meta.u32(length);
    meta.u32(checksum(meta.written()));
    meta.u32(format.RUN_MAGIC);
    this.#emit(meta.written());
    this.#sections.push({
      keyGroup: this.#keyGroup,
      offset: this.#sectionStart,
      length,
      entries: this.#hashes.length,
    });
  }

  /** @returns null if there was no entry at all */
  finish(): EncodedRun | null {
    if (this.#sections.length === 0) return null;
    const footer = new ByteWriter(1_024);
    let entries = 0;
    for (const section of this.#sections) {
      footer.u16(section.keyGroup);
      footer.f64(section.offset);
      footer.u32(section.length);
      footer.u32(section.entries);
      entries += section.entries;
    }
    footer.u32(this.#sections.length);
    footer.u32(checksum(footer.written()));
    footer.u32(format.RUN_MAGIC);
    this.#emit(footer.written());
    this.#chunks.push(this.#chunk.copy());
    return {
      chunks: this.#chunks,
      length: this.#length,
      crc32: this.#crc,
      firstKeyGroup: this.#sections[0]!.keyGroup,
      lastKeyGroup: this.#sections.at(-1)!.keyGroup,
      entries,
    };
  }

  #emit(bytes: Uint8Array): void {
    this.#chunk.raw(bytes);
    this.#length += bytes.length;
    this.#crc = checksum(bytes, this.#crc);
    if (this.#chunk.position >= CHUNK_BYTES) {
      this.#chunks.push(this.#chunk.copy());
      this.#chunk.position = 0;
    }
  }

  #endBlock(): void {
    const block = this.#block;
    for (const offset of this.#offsets) block.u32(offset);
    block.u32(this.#offsets.length);
    this.#offsets.length = 0;
    const raw = block.written();
    const { codec, payload } =
      this.#compression === 'zstd' ? compress(raw) : { codec: format.CODEC_NONE, payload: raw };
    const header = new ByteWriter(format.BLOCK_HEADER_BYTES);
    header.u32(payload.length);
    header.u32(raw.length);
    header.u8(codec);
    header.u32(checksum(payload, checksum(header.written())));
    this.#index.u32(this.#length - this.#sectionStart);
    this.#index.u32(format.BLOCK_HEADER_BYTES + payload.length);
    this.#index.u32(this.#firstKey.length);
    this.#index.raw(this.#firstKey);
    this.#blocks++;
    this.#emit(header.written());
    this.#emit(payload);
    block.position = 0;
  }

  #meta(): ByteWriter {
    const meta = new ByteWriter(1_024);
    meta.u32(this.#names.tables.length);
    for (const { id, ...table } of this.#names.tables) {
      meta.u32(id);
      writeText(meta, JSON.stringify(table));
    }
    meta.u32(this.#names.shapes.length);
    for (const shape of this.#names.shapes) {
      meta.u32(shape.low);
      meta.u32(shape.high);
      writeText(meta, shape.names);
    }
    meta.raw(this.#index.written());
    const { source, start, end } = this.#last;
    meta.u32(end - start);
    meta.raw(source.subarray(start, end));
    meta.raw(buildBloomFilter(this.#hashes));
    return meta;
  }
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  writer.u32(bytes.length);
  writer.raw(bytes);
}
