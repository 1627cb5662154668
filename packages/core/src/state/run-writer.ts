import { assert } from '../base/assert.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { endOfKey, isAbsentKey } from '../codec/key-codec.ts';
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
  readonly metaLength: number;
  readonly entries: number;
}

/**
 * Lays out a run; format in run-format.ts.
 *
 *   (beginSection -> add* -> endSection)* -> finish
 *
 * The caller adds key groups, and keys within them, in ascending order and each key once.
 * Memory: the directory of the section being written, and chunks that nobody has taken.
 */
export class RunWriter {
  readonly #compression: RunCompression;
  readonly #blockBytes: number;
  #chunks: Uint8Array[] = [];
  #chunk = new ByteWriter(4_096);
  #length = 0;
  #crc = 0;
  readonly #sections: WrittenSection[] = [];
  readonly #allTables = new Map<number, format.TableRecord>();
  #names: format.SectionNames = { tables: [], shapes: [] };
  #keyGroup = -1;
  #sectionStart = 0;
  #entries = 0;
  #entryBytes = 0;
  // The section's tables by id, and those of them that order by key.
  readonly #byKey = new Set<number>();
  readonly #maxRanks = new Map<number, number>();
  readonly #block = new ByteWriter(4_096);
  readonly #offsets: number[] = [];
  readonly #blockEnds: number[] = [];
  readonly #indexKeys = new ByteWriter(1_024);
  readonly #indexKeyEnds: number[] = [];
  readonly #hashes: number[] = [];
  /** The key added last; the sources belong to the caller. */
  readonly #last = new ByteWriter(256);
  /** Where the prefix (table id, key) ends in it; 0 = its prefix is not in the filter. */
  #lastPrefix = 0;

  constructor(
    compression: RunCompression = 'zstd',
    blockBytes: number = format.BLOCK_BYTES[compression],
  ) {
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
    this.#entries = 0;
    this.#byKey.clear();
    for (const { id, order } of names.tables) if (order === 'key') this.#byKey.add(id);
    this.#maxRanks.clear();
    this.#blockEnds.length = 0;
    this.#indexKeys.position = 0;
    this.#indexKeyEnds.length = 0;
    this.#hashes.length = 0;
    this.#last.position = 0;
    this.#lastPrefix = 0;
  }

  /** One entry: key and body stand one behind the other in `source`, which is copied. */
  add(source: Buffer, keyStart: number, keyEnd: number, bodyEnd: number, flags: number): void {
    const block = this.#block;
    const size = 8 + bodyEnd - keyStart + 4;
    if (this.#offsets.length > 0 && this.#rawBytes() + size > this.#blockBytes) this.#endBlock();
    if (this.#offsets.length === 0) this.#addIndexKey(source, keyStart, keyEnd);
    this.#offsets.push(block.position);
    block.u32(keyEnd - keyStart);
    block.u32((bodyEnd - keyEnd + flags) >>> 0);
    block.reserve(bodyEnd - keyStart);
    block.position += source.copy(block.bytes, block.position, keyStart, bodyEnd);
    this.#entries++;
    this.#entryBytes += bodyEnd - keyStart;
    this.#hashes.push(bloomHash(source, keyStart, keyEnd));
    if ((flags & format.RANKED) !== 0) this.#noteRank(source, keyStart, keyEnd, flags);
    this.#addPrefix(source, keyStart, keyEnd);
    this.#last.position = 0;
    this.#last.raw(source.subarray(keyStart, keyEnd));
  }

  /** A section without entries leaves no trace. */
  endSection(): void {
    if (this.#entries === 0) return;
    this.#endBlock();
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
    meta.u32(this.#entries);
    meta.u32(this.#blockEnds.length);
    meta.u32(metaLength);
    meta.u32(length);
    meta.u32(checksum(meta.written()));
    meta.u32(format.RUN_MAGIC);
    this.#emit(meta.written());
    this.#sections.push({
      keyGroup: this.#keyGroup,
      offset: this.#sectionStart,
      length,
      metaLength,
      entries: this.#entries,
    });
  }

  /** What is laid out so far and was not taken yet, for a caller that writes it away at once. */
  takeChunks(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  /** @returns null if there was no entry at all; `chunks` are those that were not taken */
  finish(): EncodedRun | null {
    if (this.#sections.length === 0) return null;
    const footer = new ByteWriter(1_024);
    writeTables(footer, [...this.#allTables.values()]);
    const tablesLength = footer.position;
    let entries = 0;
    for (const section of this.#sections) {
      footer.u16(section.keyGroup);
      footer.f64(section.offset);
      footer.u32(section.length);
      footer.u32(section.metaLength);
      footer.u32(section.entries);
      entries += section.entries;
    }
    footer.u32(tablesLength);
    footer.u32(this.#sections.length);
    footer.u32(format.RUN_VERSION);
    footer.u32(checksum(footer.written()));
    footer.u32(format.FOOTER_MAGIC);
    this.#emit(footer.written());
    this.#chunks.push(this.#chunk.copy());
    return {
      chunks: this.takeChunks(),
      length: this.#length,
      crc32: this.#crc,
      firstKeyGroup: this.#sections[0]!.keyGroup,
      lastKeyGroup: this.#sections.at(-1)!.keyGroup,
      entries,
      entryBytes: this.#entryBytes,
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

  /** Of the block as it is now, with its table of offsets. */
  #rawBytes(): number {
    return this.#block.position + 4 * this.#offsets.length + 4;
  }

  // The shortest stretch that tells the block from the one before: an index is read often, and
  // whole keys would make most of it.
  #addIndexKey(source: Buffer, keyStart: number, keyEnd: number): void {
    const last = this.#last.bytes;
    const limit = Math.min(this.#last.position, keyEnd - keyStart);
    let shared = 0;
    while (shared < limit && last[shared] === source[keyStart + shared]) shared++;
    this.#indexKeys.raw(source.subarray(keyStart, Math.min(keyStart + shared + 1, keyEnd)));
    this.#indexKeyEnds.push(this.#indexKeys.position);
  }

  #addPrefix(source: Buffer, keyStart: number, keyEnd: number): void {
    const last = this.#last.bytes;
    const known = this.#lastPrefix;
    this.#lastPrefix = 0;
    if (!this.#byKey.has(source.readUInt32BE(keyStart))) return;
    const end = endOfKey(source, keyStart + 4, keyEnd);
    if (isAbsentKey(source, end, keyEnd)) return; // it is found by its whole key
    this.#lastPrefix = end - keyStart;
    if (
      known !== end - keyStart ||
      format.compareBytes(last, 0, known, source, keyStart, end) !== 0
    ) {
      this.#hashes.push(bloomHash(source, keyStart, end));
    }
  }

  #noteRank(source: Buffer, keyStart: number, keyEnd: number, flags: number): void {
    const table = source.readUInt32BE(keyStart);
    const rank = source.readDoubleLE(keyEnd + ((flags & format.EXPIRES) !== 0 ? 8 : 0));
    const known = this.#maxRanks.get(table);
    if (known === undefined || rank > known) this.#maxRanks.set(table, rank);
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
    this.#emit(header.written());
    this.#emit(payload);
    this.#blockEnds.push(this.#length - this.#sectionStart);
    block.position = 0;
  }

  #meta(): ByteWriter {
    const meta = new ByteWriter(1_024);
    const tables = this.#names.tables.map(({ id, name, kind, order }) => {
      const maxRank = this.#maxRanks.get(id);
      return { id, name, kind, order, ...(maxRank === undefined ? {} : { maxRank }) };
    });
    for (const table of tables) this.#allTables.set(table.id, unite(table, this.#allTables));
    writeTables(meta, tables);
    meta.u32(this.#names.shapes.length);
    for (const shape of this.#names.shapes) {
      meta.u32(shape.low);
      meta.u32(shape.high);
      writeText(meta, shape.names);
    }
    this.#indexKeys.raw(this.#last.written());
    this.#indexKeyEnds.push(this.#indexKeys.position);
    for (const end of this.#blockEnds) meta.u32(end);
    for (const end of this.#indexKeyEnds) meta.u32(end);
    meta.raw(this.#indexKeys.written());
    meta.raw(buildBloomFilter(this.#hashes));
    return meta;
  }
}

function unite(
  table: format.TableRecord,
  known: ReadonlyMap<number, format.TableRecord>,
): format.TableRecord {
  const before = known.get(table.id)?.maxRank;
  if (before === undefined) return table;
  return { ...table, maxRank: Math.max(before, table.maxRank ?? before) };
}

function writeTables(writer: ByteWriter, tables: readonly format.TableRecord[]): void {
  writer.u32(tables.length);
  for (const { id, ...table } of tables) {
    writer.u32(id);
    writeText(writer, JSON.stringify(table));
  }
}

function writeText(writer: ByteWriter, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  writer.u32(bytes.length);
  writer.raw(bytes);
}
