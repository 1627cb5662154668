import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CODEC_NONE, CODEC_ZSTD } from './run-format.ts';

// Synchronous, hence deterministic: the only place of `state` that imports from node.

/** Blocks below this are not worth a compressor call. */
const MIN_COMPRESSED_BYTES = 256;

/** CRC-32 of `bytes`, continuing from `start`. */
export function checksum(bytes: Uint8Array, start = 0): number {
  return crc32(bytes, start);
}

/** Compresses if that saves at least a tenth. */
export function compress(raw: Uint8Array): { codec: number; payload: Uint8Array } {
  if (raw.length >= MIN_COMPRESSED_BYTES) {
    const payload = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    if (payload.length < raw.length * 0.9) return { codec: CODEC_ZSTD, payload };
  }
  return { codec: CODEC_NONE, payload: raw };
}

/** The inverse; never gives more than `rawLength` bytes. Throws whatever zlib throws. */
export function decompress(codec: number, payload: Uint8Array, rawLength: number): Uint8Array {
  if (codec === CODEC_NONE) return payload;
  return zstdDecompressSync(payload, { maxOutputLength: Math.max(1, rawLength) });
}
