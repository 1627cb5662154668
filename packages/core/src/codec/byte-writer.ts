/**
 * Appends little-endian numbers and bytes to a growing buffer. Not shared between threads; the
 * buffer is its own ArrayBuffer (never Node's pool), so it can be transferred.
 */
export class ByteWriter {
  /** Valid up to `position`; replaced when it grows. */
  bytes: Buffer;
  view: DataView;
  position = 0;

  constructor(capacity = 1_024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `length` more bytes; cost amortised O(1) per byte. */
  reserve(length: number): void {
    const wanted = this.position + length;
    if (wanted <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, wanted));
    this.bytes.copy(grown, 0, 0, this.position);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.position, value, true);
    this.position += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.position, value, true);
    this.position += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** @param value 0 to 2^32 - 1; takes 1 to 5 bytes, 7 bits each, low bits first */
  varint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest > 127) {
      this.bytes[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.position);
    this.position += data.length;
  }

  /** What was written; valid until the next write. */
  written(): Buffer {
    return this.bytes.subarray(0, this.position);
  }

  /** A copy of what was written. */
  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.written());
  }
}
