import { ERROR_KINDS, makeError, setField, VIEW_KINDS } from './builtin-kinds.ts';
import { ByteReader } from './byte-reader.ts';
import { malformed } from './codec-errors.ts';
import { bigintOfMagnitude } from './key-codec.ts';
import type { Shape, ShapeTable } from './shape-table.ts';
import * as tag from './value-tags.ts';

/**
 * Reads what `ValueEncoder` wrote.
 *
 * Garbage throws a MalformedDataError; memory is bounded by the length of the input, except that a
 * sparse array has the length it claims (nothing is allocated for its holes).
 */
export class ValueDecoder {
  readonly #shapes: ShapeTable;
  #reader = new ByteReader(new Uint8Array(0));
  #depth = 0;
  #lastShape: Shape | null = null;

  /** @param shapes must know every shape that the bytes refer to */
  constructor(shapes: ShapeTable) {
    this.#shapes = shapes;
  }

  /** Reads one value; the reader stands behind it afterwards. @throws MalformedDataError */
  decode(reader: ByteReader): unknown {
    this.#reader = reader;
    this.#depth = 0;
    return this.#value();
  }

  #value(): unknown {
    const reader = this.#reader;
    const at = reader.position;
    const kind = reader.u8();
    switch (kind) {
      case tag.NULL:
        return null;
      case tag.UNDEFINED:
        return undefined;
      case tag.TRUE:
        return true;
      case tag.FALSE:
        return false;
      case tag.INT: {
        const zigzag = reader.varint();
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
      case tag.FLOAT:
        return reader.f64();
      case tag.ASCII:
      case tag.UTF8:
      case tag.UTF16:
        return this.#stringOf(kind);
      case tag.BIGINT:
        return this.#bigint();
      case tag.DATE:
        return new Date(reader.f64());
      case tag.BYTES:
        return new Uint8Array(reader.raw(reader.varint())).buffer;
      case tag.VIEW:
        return this.#view(at);
      default:
        return this.#nested(kind, at);
    }
  }

  #nested(kind: number, at: number): unknown {
    if (++this.#depth > tag.MAX_DEPTH) malformed('values nested too deep', at);
    const value = this.#composite(kind, at);
    this.#depth--;
    return value;
  }

  #composite(kind: number, at: number): unknown {
    switch (kind) {
      case tag.SHAPED:
        return this.#shaped(at);
      case tag.ARRAY:
        return this.#array();
      case tag.INLINE:
        return this.#inline();
      case tag.SPARSE:
        return this.#sparse(at);
      case tag.MAP:
        return this.#map();
      case tag.SET:
        return this.#set();
      case tag.REGEXP:
        return this.#regExp(at);
      case tag.ERROR:
        return this.#error(at);
      case tag.BOXED: {
        const value = this.#value();
        if (value === null || value === undefined || typeof value === 'object') {
          malformed('a boxed value', at);
        }
        return Object(value) as object;
      }
      default:
        return malformed(`unknown type of value ${kind}`, at);
    }
  }

  #string(): string {
    const kind = this.#reader.u8();
    if (kind !== tag.ASCII && kind !== tag.UTF8 && kind !== tag.UTF16) {
      malformed('a string was expected', this.#reader.position - 1);
    }
    return this.#stringOf(kind);
  }

  #stringOf(kind: number): string {
    const reader = this.#reader;
    const length = kind === tag.ASCII ? reader.u8() : reader.varint();
    const at = reader.take(length);
    if (kind === tag.UTF16 && length % 2 === 1) malformed('half a character', at);
    const encoding = kind === tag.ASCII ? 'latin1' : kind === tag.UTF8 ? 'utf8' : 'utf16le';
    return reader.bytes.toString(encoding, at, at + length);
  }

  #bigint(): bigint {
    const sign = this.#reader.u8();
    if (sign > 1) malformed('the sign of a bigint', this.#reader.position);
    const magnitude = bigintOfMagnitude(this.#reader.raw(this.#reader.varint()));
    return sign === 1 ? -magnitude : magnitude;
  }

  #view(at: number): unknown {
    const kind = VIEW_KINDS[this.#reader.u8()];
    const length = this.#reader.varint();
    if (kind === undefined || length % kind.elementBytes !== 0) malformed('a typed array', at);
    return kind.make(new Uint8Array(this.#reader.raw(length)).buffer);
  }

  #shaped(at: number): object {
    const reader = this.#reader;
    const low = reader.u32();
    const high = reader.u32();
    let shape = this.#lastShape;
    if (shape === null || shape.low !== low || shape.high !== high) {
      shape = this.#shapes.find(low, high) ?? malformed('an unknown shape', at);
      this.#lastShape = shape;
    }
    const value = {};
    for (const name of shape.names) setField(value, name, this.#value());
    return value;
  }

  #array(): unknown[] {
    const count = this.#reader.count(1);
    const value: unknown[] = [];
    for (let i = 0; i < count; i++) value.push(this.#value());
    return value;
  }

  #sparse(at: number): unknown[] {
    const length = this.#reader.varint();
    const count = this.#reader.count(2);
    const value: unknown[] = [];
    let previous = -1;
    for (let i = 0; i < count; i++) {
      const index = this.#reader.varint();
      if (index <= previous || index >= length) malformed('an index of a sparse array', at);
      value[index] = this.#value();
      previous = index;
    }
    value.length = length;
    return value;
  }

  #inline(): object {
    const count = this.#reader.count(2);
    const value = {};
    for (let i = 0; i < count; i++) setField(value, this.#string(), this.#value());
    return value;
  }

  #map(): Map<unknown, unknown> {
    const count = this.#reader.count(2);
    const value = new Map<unknown, unknown>();
    for (let i = 0; i < count; i++) {
      const key = this.#value();
      value.set(key, this.#value());
    }
    return value;
  }

  #set(): Set<unknown> {
    const count = this.#reader.count(1);
    const value = new Set<unknown>();
    for (let i = 0; i < count; i++) value.add(this.#value());
    return value;
  }

  #regExp(at: number): RegExp {
    const source = this.#string();
    const flags = this.#string();
    try {
      return new RegExp(source, flags);
    } catch (cause) {
      return malformed('a regular expression', at, cause);
    }
  }

  #error(at: number): Error {
    const kind = ERROR_KINDS[this.#reader.u8()];
    const fields = this.#reader.u8();
    if (kind === undefined || fields > (tag.HAS_STACK | tag.HAS_CAUSE)) malformed('an error', at);
    const message = this.#string();
    const stack = fields & tag.HAS_STACK ? this.#string() : undefined;
    if ((fields & tag.HAS_CAUSE) === 0) return makeError(kind, { message, stack });
    return makeError(kind, { message, stack, cause: this.#value() });
  }
}

/** The value of `encodeValue`; the bytes must hold nothing else. @throws MalformedDataError */
export function decodeValue(bytes: Uint8Array, shapes: ShapeTable): unknown {
  const reader = new ByteReader(bytes);
  const value = new ValueDecoder(shapes).decode(reader);
  if (reader.remaining > 0) malformed(`${reader.remaining} bytes too many`, reader.position);
  return value;
}
