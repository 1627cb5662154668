import { checksum, decompress } from './run-compression.ts';
import * as format from './run-format.ts';
import { corrupt } from './run-damage.ts';

/**
 * Checks and unpacks a block.
 *
 * @param bytes exactly the block, its header included
 * @param offset where it begins in the file
 * @returns its raw content, perhaps a view of `bytes`; the table of offsets lies within it
 * @throws CorruptRunError
 */
export function openBlock(bytes: Uint8Array, file: string, offset: number): Buffer {
  const block = bufferOf(bytes);
  if (block.length < format.BLOCK_HEADER_BYTES) corrupt(file, offset, 'a block cut off');
  const payload = block.subarray(format.BLOCK_HEADER_BYTES);
  const crc = checksum(payload, checksum(block.subarray(0, 9)));
  if (crc !== block.readUInt32LE(9)) corrupt(file, offset, 'the checksum of a block');
  const rawLength = block.readUInt32LE(4);
  const codec = block[8]!;
  if (payload.length !== block.readUInt32LE(0) || codec > format.CODEC_ZSTD) {
    corrupt(file, offset, 'the header of a block');
  }
  let raw: Uint8Array;
  try {
    raw = decompress(codec, payload, rawLength);
  } catch (cause) {
    corrupt(file, offset, 'a block does not unpack', cause);
  }
  if (raw.length !== rawLength) corrupt(file, offset, 'the length of a block');
  const opened = bufferOf(raw);
  const count = entryCount(opened);
  if (count === 0 || count * 12 + 4 > opened.length) {
    corrupt(file, offset, 'the number of entries of a block');
  }
  return opened;
}

/** Entries of an opened block. */
export function entryCount(block: Buffer): number {
  return block.length >= 4 ? block.readUInt32LE(block.length - 4) : 0;
}

/** Where an entry of an opened block stands: to be read again after each `seek`. */
export class BlockEntry {
  keyStart = 0;
  keyEnd = 0;
  /** The body follows the key. */
  bodyEnd = 0;
  flags = 0;

  /**
   * Goes to entry `index`, below `count`, of `block`.
   *
   * @returns false if what stands there is garbage
   */
  seek(block: Buffer, count: number, index: number): boolean {
    const offsets = block.length - 4 - 4 * count;
    const at = readU32(block, offsets + 4 * index);
    if (at + 8 > offsets) return false;
    const length = readU32(block, at + 4);
    this.flags = (length & ~format.LENGTH_MASK) >>> 0;
    this.keyStart = at + 8;
    this.keyEnd = at + 8 + readU32(block, at);
    this.bodyEnd = this.keyEnd + (length & format.LENGTH_MASK);
    return this.keyEnd - this.keyStart >= 4 && this.bodyEnd <= offsets;
  }
}

/** `Buffer.readUInt32LE` without its checks: the caller has compared `at` with the length. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

/** The same bytes as a `Buffer`. */
export function bufferOf(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
