import type { ShapeRecord } from '../codec/shape-table.ts';

// A run: sorted entries of one operator. Little endian, except keys, which sort as bytes.
// Every offset inside is relative, so a run reads the same at any place of an object, and a section
// can be cut out byte for byte.
//
//   run      header | section* | footer                   sections in ascending order of key group
//   header   magic u32, version u32, crc32 u32
//   section  block* | meta | trailer                 all entries of one key group
//   block    payloadLength u32, rawLength u32, codec u8, crc32 u32, payload
//            crc32 over the first 9 bytes and the payload; codec 0 = plain, 1 = zstd
//   raw      entry*, offset u32 of each entry, count u32
//   entry    keyLength u32, bodyLength u32 | flags, key, body
//   key      table id u32 big endian, then key, sub key (order `key`) or sub key, key (`sub`)
//   body     [expiresAtMs f64] [rank f64] version varint, value;  empty for a tombstone
//   meta     tables | shapes | index | filter
//     tables  count u32, (id u32, length u32, JSON)*
//     shapes  count u32, (low u32, high u32, length u32, JSON)*
//     index   end u32 of each block, end u32 of each index key and of the last key, then the keys
//             one behind the other; a block's index key is the shortest that is not greater than
//             its first key and greater than all keys before; the last key is whole
//     filter  hashes u8, bits u32, bit bytes       Bloom: 10 bits per key; it holds the keys, and
//             each (table id, key) of tables of order `key` that has entries with a sub key
//   trailer  keyGroup u16, version u16, entries u32, blocks u32, metaLength u32,
//            sectionLength u32, crc32 u32 over meta and the 20 bytes before it, magic u32
//   footer   tables (as in a meta; of all sections), then (keyGroup u16, offset f64, length u32,
//            metaLength u32, entries u32)* , tablesLength u32, sections u32, version u32,
//            crc32 u32 over the footer before it, footer magic u32
//
// Version 1 (read for ever, not written any more) differs in this:
//     index   per block: offset u32, length u32, keyLength u32, first key;
//             then length u32, last key
//     filter  holds whole keys only
//     tables  without `maxRank`
//   footer   (keyGroup u16, offset f64, length u32, entries u32)*, count u32, crc32 u32, magic u32
//
// R1. No byte of a run is outside a checksum or an exact comparison: any flipped bit is found.
// R2. Of equal keys a run holds one; over a list of runs, newest first, the first one found counts.
// R3. Ids of tables and shapes are hashes of what they stand for: merging never renumbers.
// R4. A block holds one entry, or several that together take no more than the wanted block size.

/** Begins a run; ends its sections, and runs of version 1. */
export const RUN_MAGIC = 0x4e55524d; // "MRUN"
/** Ends a run. Not one bit away from the other: the versions cannot be taken for each other. */
export const FOOTER_MAGIC = 0x544f4f46; // "FOOT"
/** Of the whole layout, as it is written; a reader refuses newer ones. */
export const RUN_VERSION = 2;
/** Sizes of the fixed parts. */
export const HEADER_BYTES = 12;
export const BLOCK_HEADER_BYTES = 13;
export const TRAILER_BYTES = 28;
export const FOOTER_ENTRY_BYTES = 22;
export const FOOTER_END_BYTES = 20;
/** The same in version 1. */
export const FOOTER_ENTRY_BYTES_1 = 18;
export const FOOTER_END_BYTES_1 = 12;

/** How the payload of a block is packed. */
export const CODEC_NONE = 0;
export const CODEC_ZSTD = 1;

/** Flags of an entry, in the high bits of its body's length. */
export const TOMBSTONE = 0x8000_0000;
export const EXPIRES = 0x4000_0000;
export const RANKED = 0x2000_0000;
export const LENGTH_MASK = 0x1fff_ffff;

/** Upper bound of a section: its offsets are u32. */
export const MAX_SECTION_BYTES = 0xffff_ffff;

/**
 * How large a block becomes before it is packed. Plain ones are read on the data path: a page is
 * read in 1 us. Unpacking costs 30 us whatever the size, so those are as large as packs well.
 */
export const BLOCK_BYTES = { none: 4_096, zstd: 16_384 } as const;

/** A table as it stands in a section's meta. */
export interface TableRecord {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly order: 'key' | 'sub';
  /** The largest rank of its entries, if any has one; absent also in runs of version 1. */
  readonly maxRank?: number;
  /** Part of the id; default 0. See `tableId`. */
  readonly generation?: number;
}

/** What a section says about its entries. */
export interface SectionNames {
  readonly tables: readonly TableRecord[];
  readonly shapes: readonly ShapeRecord[];
}

/**
 * The id of a table: FNV-1a, 32 bits, of its name as JSON text.
 *
 * @param generation how often a state of that name was dropped and declared again; default 0
 */
export function tableId(name: string, generation = 0): number {
  let hash = 0x811c9dc5;
  const text = JSON.stringify(generation === 0 ? name : [name, generation]);
  for (const byte of Buffer.from(text, 'utf8')) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/** Compares two stretches of bytes; a shorter prefix comes first. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
