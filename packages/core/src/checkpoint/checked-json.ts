import { crc32 } from 'node:zlib';
import type { Json } from '../state/snapshot.ts';

// Readable JSON that carries a checksum of itself in its last member:
//
//   {
//     ...members...,
//     "checksum": "89abcdef"       <- crc32 of every byte before the comma
//   }
//
// J1. Every changed byte is detected: crc32 finds any burst up to 32 bits in what it covers, and
//     the rest of the text (comma, member name, digits, end) is compared as a whole.
// J2. This tail is the same in all versions of all formats, for ever.

const CRC_TAIL_LENGTH = tailOf(0).length;

/** @returns the bytes of the object; `body` must not have a member `checksum` and not be empty */
export function encodeCheckedJson(body: Readonly<Record<string, Json>>): Uint8Array {
  const head = Buffer.from(JSON.stringify(body, null, 1).slice(0, -2), 'utf8');
  return Buffer.concat([head, tailOf(crc32(head))]);
}

/** @returns the members without `checksum`, or what is wrong with the bytes */
export function decodeCheckedJson(
  bytes: Uint8Array,
):
  | { readonly kind: 'valid'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'damaged'; readonly problem: string } {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.length <= CRC_TAIL_LENGTH) return { kind: 'damaged', problem: 'it is too short' };
  const head = data.subarray(0, data.length - CRC_TAIL_LENGTH);
  if (!data.subarray(head.length).equals(tailOf(crc32(head)))) {
    return { kind: 'damaged', problem: 'its checksum does not fit its content' };
  }
  try {
    return { kind: 'valid', body: JSON.parse(`${head.toString('utf8')}\n}`) };
  } catch (error) {
    return { kind: 'damaged', problem: `it is not JSON: ${String(error)}` };
  }
}

function tailOf(checksum: number): Buffer {
  return Buffer.from(`,\n "checksum": "${checksum.toString(16).padStart(8, '0')}"\n}\n`, 'latin1');
}
