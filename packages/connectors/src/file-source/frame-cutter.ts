import { isAscii, isUtf8 } from 'node:buffer';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** How to cut, and from where. */
export interface FrameCutterOptions {
  readonly framing: 'lines' | 'quoted-lines';
  /** Of the first byte that is pushed. */
  readonly offset: number;
  /** Of the first line that is pushed. */
  readonly line: number;
  readonly maxRecordBytes: number;
}

/**
 * Cuts pushed bytes into records at line breaks. Works on bytes, so that offsets are exact and a
 * record's text does not keep the chunk alive that it came in.
 *
 * F1. After `next` returned true, `frame*` and `text` describe one record, and `offset` and `line`
 *     are those of what follows it.
 * F2. After `next` returned false, all whole records have been cut; push more, or it has ended.
 */
export class FrameCutter {
  readonly #quoted: boolean;
  readonly #maxRecordBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #bytesOffset: number;
  #at = 0;
  #line: number;
  #last = false;
  #allUtf8 = true;
  #encoding: 'latin1' | 'utf8' = 'utf8';
  #frameStart = 0;
  #frameEnd = 0;
  #nextQuote = -1;
  /** Of the record's first line. */
  frameLine = 0;

  constructor(options: FrameCutterOptions) {
    this.#quoted = options.framing === 'quoted-lines';
    this.#maxRecordBytes = options.maxRecordBytes;
    this.#bytesOffset = options.offset;
    this.#line = options.line;
  }

  /** Of the first byte behind the record. */
  get offset(): number {
    return this.#bytesOffset + this.#at;
  }

  /** Of the line that follows the record. */
  get line(): number {
    return this.#line;
  }

  get frameOffset(): number {
    return this.#bytesOffset + this.#frameStart;
  }

  /** @param last nothing follows: what stands after the last line break is a record */
  push(chunk: Uint8Array, last: boolean): void {
    const next = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const rest = this.#bytes.subarray(this.#at);
    this.#bytesOffset += this.#at;
    this.#at = 0;
    this.#bytes = rest.length === 0 ? next : Buffer.concat([rest, next]);
    this.#last = last;
    this.#nextQuote = -1;
    const whole = last ? this.#bytes.length : this.#bytes.lastIndexOf(LINE_FEED) + 1;
    const region = this.#bytes.subarray(0, whole);
    this.#encoding = isAscii(region) ? 'latin1' : 'utf8'; // for ASCII the same, and faster
    this.#allUtf8 = this.#encoding === 'latin1' || isUtf8(region);
  }

  /** @throws RangeError if a record exceeds the limit; `offset` is where it begins */
  next(): boolean {
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      const start = this.#at;
      const found = this.#lineBreak(start);
      if (found === -1 && !this.#last) {
        this.#checkLength(bytes.length - start);
        return false;
      }
      let end = found === -1 ? bytes.length : found;
      this.#checkLength(end - start);
      this.#at = found === -1 ? end : end + 1;
      this.frameLine = this.#line;
      this.#line += this.#quoted ? this.#lineBreaks(start, end) + 1 : 1;
      if (end > start && bytes[end - 1] === CARRIAGE_RETURN) end--;
      this.#frameStart = this.#bytesOffset + start === 0 ? start + this.#markLength() : start;
      this.#frameEnd = end;
      if (this.#frameEnd > this.#frameStart) return true;
    }
    return false;
  }

  /** The record's text; what is not UTF-8 is replaced. */
  text(): string {
    return this.#bytes.toString(this.#encoding, this.#frameStart, this.#frameEnd);
  }

  /** Whether the record is UTF-8. */
  isText(): boolean {
    return this.#allUtf8 || isUtf8(this.#bytes.subarray(this.#frameStart, this.#frameEnd));
  }

  #checkLength(bytes: number): void {
    if (bytes > this.#maxRecordBytes) {
      throw new RangeError(`a record has more than ${this.#maxRecordBytes} bytes`);
    }
  }

  #lineBreak(from: number): number {
    const found = this.#bytes.indexOf(LINE_FEED, from);
    return this.#quoted && found !== -1 ? this.#lineBreakOutsideQuotes(from, found) : found;
  }

  // Quotes in pairs end where they began; a doubled quote leaves and enters again.
  #lineBreakOutsideQuotes(from: number, first: number): number {
    let found = first;
    let inside = false;
    let quote = this.#quoteAt(from);
    while (found !== -1) {
      for (; quote < found; quote = this.#quoteAt(quote + 1)) inside = !inside;
      if (!inside) return found;
      found = this.#bytes.indexOf(LINE_FEED, found + 1);
    }
    this.#nextQuote = -1; // the record is looked at again from its beginning
    return -1;
  }

  // Remembered, because one look for a quote that is not there costs the whole chunk.
  #quoteAt(from: number): number {
    if (this.#nextQuote < from) {
      const found = this.#bytes.indexOf(QUOTE, from);
      this.#nextQuote = found === -1 ? Number.POSITIVE_INFINITY : found;
    }
    return this.#nextQuote;
  }

  #lineBreaks(start: number, end: number): number {
    let count = 0;
    let at = this.#bytes.indexOf(LINE_FEED, start);
    for (; at !== -1 && at < end; at = this.#bytes.indexOf(LINE_FEED, at + 1)) count++;
    return count;
  }

  #markLength(): number {
    return this.#bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  }
}
