import { malformed } from './codec-errors.ts';

/**
 * Reads what `ByteWriter` wrote. Every read is checked against the end: garbage ends in a
 * MalformedDataError, never in a wrong address or an allocation larger than the input.
 */
export class ByteReader {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Steps over `length` bytes; @returns where they begin */
  take(length: number): number {
    const at = this.position;
    if (!(length >= 0 && length <= this.end - at)) {
      malformed(`${length} bytes wanted, ${this.end - at} left`, at);
    }
    this.position = at + length;
    return at;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** @throws MalformedDataError also for more than 32 bits */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    return malformed('a number of more than 32 bits', this.position);
  }

  /** A count of things of at least `minimumBytes` each: more than can follow is refused. */
  count(minimumBytes: number): number {
    const count = this.varint();
    if (count * minimumBytes > this.remaining) {
      malformed(`${count} items announced, ${this.remaining} bytes left`, this.position);
    }
    return count;
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
}
