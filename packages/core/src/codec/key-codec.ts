import { keyIdentity, type Key } from '../element/key.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { malformed } from './codec-errors.ts';

// Layout of a key; comparing bytes = comparing (type, value), so runs can be sorted as bytes.
//
//   02                        no key (an absent sub key)
//   08 | 09                   false | true
//   10 f64                    number: big endian, sign bit flipped, negatives inverted
//   18 sign length bytes      bigint: sign 0|1, length u32, magnitude; big endian, likewise
//   20 units 00               string: each UTF-16 unit as 1-3 bytes, in the order of JavaScript's <
//                             unit 0 = 01 01, unit 1 = 01 02; 00 ends it
//   30 key* 00                tuple
//
// K1. Injective: two keys have one encoding exactly if they have one identity (-0 is 0).
// K2. Prefix-free: no encoding is a prefix of another, so concatenations keep the order too.

/** The whole encoding of an absent sub key. */
export const ABSENT_KEY = 0x02;
const FALSE = 0x08;
const TRUE = 0x09;
const NUMBER = 0x10;
const BIGINT = 0x18;
const STRING = 0x20;
const TUPLE = 0x30;
const END = 0x00;
const ESCAPE = 0x01;

/** Nesting of tuples; more is refused as garbage instead of overflowing the stack. */
const MAX_DEPTH = 200;

/**
 * Appends the key's bytes.
 *
 * @throws InvalidKeyError for what cannot be a key
 *
 * Cost: O(length).
 */
export function encodeKey(writer: ByteWriter, key: Key | undefined): void {
  switch (typeof key) {
    case 'undefined':
      writer.u8(ABSENT_KEY);
      return;
    case 'boolean':
      writer.u8(key ? TRUE : FALSE);
      return;
    case 'number':
      encodeNumber(writer, key);
      return;
    case 'string':
      encodeString(writer, key);
      return;
    case 'bigint':
      encodeBigint(writer, key);
      return;
    default:
      break;
  }
  if (!Array.isArray(key)) keyIdentity(key); // throws
  writer.u8(TUPLE);
  for (const part of key as readonly Key[]) {
    if (part === undefined) keyIdentity(part); // throws: only a whole sub key may be absent
    encodeKey(writer, part);
  }
  writer.u8(END);
}

/**
 * Reads one key.
 *
 * @returns undefined for an absent sub key
 * @throws MalformedDataError
 */
export function decodeKey(reader: ByteReader, depth = 0): Key | undefined {
  const at = reader.position;
  const tag = reader.u8();
  switch (tag) {
    case ABSENT_KEY:
      return undefined;
    case FALSE:
      return false;
    case TRUE:
      return true;
    case NUMBER:
      return decodeNumber(reader);
    case BIGINT:
      return decodeBigint(reader);
    case STRING:
      return decodeString(reader);
    case TUPLE:
      break;
    default:
      return malformed(`unknown type of key ${tag}`, at);
  }
  if (depth >= MAX_DEPTH) malformed('tuples nested too deep', at);
  const parts: Key[] = [];
  for (;;) {
    if (reader.remaining === 0) malformed('a tuple without an end', at);
    if (reader.bytes[reader.position] === END) break;
    const part = decodeKey(reader, depth + 1);
    if (part === undefined) malformed('an absent part of a tuple', at);
    parts.push(part);
  }
  reader.position++;
  return parts;
}

/**
 * Where the key that begins at `start` ends (exclusive), without decoding it.
 *
 * @throws MalformedDataError if it does not end before `end`
 *
 * Cost: O(length), nothing is allocated.
 */
export function endOfKey(bytes: Buffer, start: number, end: number, depth = 0): number {
  let at = start + 1;
  switch (start < end ? bytes[start] : -1) {
    case ABSENT_KEY:
    case FALSE:
    case TRUE:
      return at;
    case NUMBER:
      at += 8;
      break;
    case BIGINT: {
      const length = start + 6 <= end ? bytes.readUInt32BE(start + 2) : end;
      at += 5 + (bytes[start + 1] === 0 ? ~length >>> 0 : length);
      break;
    }
    case STRING:
      while (at < end && bytes[at] !== END) at++;
      at++;
      break;
    case TUPLE:
      if (depth >= MAX_DEPTH) malformed('tuples nested too deep', start);
      while (at < end && bytes[at] !== END) at = endOfKey(bytes, at, end, depth + 1);
      at++;
      break;
    default:
      return malformed('unknown type of key', start);
  }
  return at <= end ? at : malformed('a key without an end', start);
}

/** Whether an absent sub key, and nothing else, stands from `start` to `end`. */
export function isAbsentKey(bytes: Buffer, start: number, end: number): boolean {
  return end === start + 1 && bytes[start] === ABSENT_KEY;
}

function encodeNumber(writer: ByteWriter, key: number): void {
  if (Number.isNaN(key)) keyIdentity(key); // throws
  writer.reserve(9);
  const { bytes, view, position } = writer;
  bytes[position] = NUMBER;
  view.setFloat64(position + 1, key === 0 ? 0 : key, false);
  if (bytes[position + 1]! & 0x80) {
    for (let i = 1; i <= 8; i++) bytes[position + i] = bytes[position + i]! ^ 0xff;
  } else {
    bytes[position + 1] = bytes[position + 1]! ^ 0x80;
  }
  writer.position = position + 9;
}

const scratch = new DataView(new ArrayBuffer(8));

function decodeNumber(reader: ByteReader): number {
  const at = reader.take(8);
  const negative = (reader.bytes[at]! & 0x80) === 0;
  for (let i = 0; i < 8; i++) {
    const byte = reader.bytes[at + i]!;
    scratch.setUint8(i, negative ? byte ^ 0xff : i === 0 ? byte ^ 0x80 : byte);
  }
  const key = scratch.getFloat64(0, false);
  if (Number.isNaN(key)) malformed('NaN as a key', at);
  return key;
}

function encodeString(writer: ByteWriter, key: string): void {
  const length = key.length;
  writer.reserve(length * 3 + 2);
  const bytes = writer.bytes;
  let at = writer.position;
  bytes[at++] = STRING;
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i);
    if (unit < 0x80) {
      if (unit > 1) {
        bytes[at++] = unit;
      } else {
        bytes[at++] = ESCAPE;
        bytes[at++] = unit + 1;
      }
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    }
  }
  bytes[at++] = END;
  writer.position = at;
}

function decodeString(reader: ByteReader): string {
  const { bytes } = reader;
  const start = reader.position;
  const end = bytes.indexOf(END, start);
  if (end < 0 || end >= reader.end) malformed('a string without an end', start);
  reader.position = end + 1;
  let plain = start;
  while (plain < end && bytes[plain]! < 0x80 && bytes[plain] !== ESCAPE) plain++;
  const head = bytes.toString('latin1', start, plain);
  return plain === end ? head : head + decodeUnits(bytes, plain, end);
}

function decodeUnits(bytes: Uint8Array, start: number, end: number): string {
  const units: number[] = [];
  let text = '';
  for (let at = start; at < end; ) {
    const first = bytes[at]!;
    if (first === ESCAPE) {
      units.push(bytes[at + 1]! - 1);
      at += 2;
    } else if (first < 0x80) {
      units.push(first);
      at += 1;
    } else if (first < 0xe0) {
      units.push(((first & 0x1f) << 6) | (bytes[at + 1]! & 0x3f));
      at += 2;
    } else {
      units.push(((first & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f));
      at += 3;
    }
    if (at > end) malformed('a character cut off by the end of its string', at);
    if (units.length >= 4_096) text += String.fromCharCode(...units.splice(0));
  }
  return text + String.fromCharCode(...units);
}

function encodeBigint(writer: ByteWriter, key: bigint): void {
  const negative = key < 0n;
  const flip = negative ? 0xff : 0;
  const magnitude = bigintMagnitude(key);
  writer.reserve(magnitude.length + 6);
  writer.u8(BIGINT);
  writer.u8(negative ? 0 : 1);
  for (const shift of [24, 16, 8, 0]) writer.u8(((magnitude.length >>> shift) & 0xff) ^ flip);
  for (const byte of magnitude) writer.u8(byte ^ flip);
}

function decodeBigint(reader: ByteReader): bigint {
  const sign = reader.u8();
  if (sign > 1) malformed('the sign of a bigint', reader.position);
  const flip = sign === 0 ? 0xff : 0;
  let length = 0;
  for (let i = 0; i < 4; i++) length = length * 256 + (reader.u8() ^ flip);
  const magnitude = Uint8Array.from(reader.raw(length), (byte) => byte ^ flip);
  const value = bigintOfMagnitude(magnitude);
  return sign === 0 ? -value : value;
}

/** The bytes of |value|, big endian, without leading zeros (none for 0). Cost: O(length). */
export function bigintMagnitude(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0);
  const hex = (value < 0n ? -value : value).toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** The inverse of `bigintMagnitude` for values >= 0. */
export function bigintOfMagnitude(magnitude: Uint8Array): bigint {
  if (magnitude.length === 0) return 0n;
  return BigInt(`0x${Buffer.from(magnitude).toString('hex')}`);
}
