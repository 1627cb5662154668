import { assert } from '../base/assert.ts';
import {
  bytesOfView,
  errorKindOf,
  isPlainArray,
  isPlainPrototype,
  viewKindOf,
} from './builtin-kinds.ts';
import { ByteWriter } from './byte-writer.ts';
import { bigintMagnitude } from './key-codec.ts';
import { type Shape, ShapeTable } from './shape-table.ts';
import { unserializable } from './unserializable.ts';
import * as tag from './value-tags.ts';

/** Strings below this length are copied unit by unit; longer ones by one native call. */
const SHORT_STRING = 40;

/**
 * Writes any value that structured clone takes, except functions, symbols and class instances, in
 * a form that describes itself; layout in value-tags.ts. Objects refer to their shape by id: keep
 * the shapes in `used` beside the bytes.
 *
 * As structured clone does, it leaves out symbol-named and non-enumerable fields and the named
 * fields of arrays, and reads getters. An object that occurs twice is stored twice.
 */
export class ValueEncoder {
  readonly #shapes: ShapeTable;
  #writer = new ByteWriter(0);
  #used: Set<Shape> = new Set();
  #depth = 0;
  /** The shape of the last top-level object: the first guess for the next. */
  #lastShape: Shape | null = null;

  constructor(shapes: ShapeTable) {
    this.#shapes = shapes;
  }

  /**
   * Appends `value`; on an error the writer is back where it was.
   *
   * @param used gets every shape that the bytes refer to
   * @param root how a message names the value, e.g. `order`; fields are appended to it
   * @throws UnserializableValueError naming the path to what cannot be stored
   */
  encode(value: unknown, writer: ByteWriter, used: Set<Shape>, root = 'value'): void {
    const start = writer.position;
    this.#writer = writer;
    this.#used = used;
    this.#depth = 0;
    try {
      this.#lastShape = this.#value(value, this.#lastShape) ?? this.#lastShape;
    } catch (error) {
      writer.position = start;
      if (error !== REFUSED) throw error;
      throw unserializable(value, root);
    }
  }

  // Returns the shape if the value is a shaped object. `guess` is the shape to compare with first.
  #value(value: unknown, guess: Shape | null): Shape | null {
    const writer = this.#writer;
    switch (typeof value) {
      case 'number':
        this.#number(value);
        return null;
      case 'string':
        this.#string(value);
        return null;
      case 'boolean':
        writer.u8(value ? tag.TRUE : tag.FALSE);
        return null;
      case 'undefined':
        writer.u8(tag.UNDEFINED);
        return null;
      case 'bigint':
        this.#bigint(value);
        return null;
      case 'object':
        if (value === null) {
          writer.u8(tag.NULL);
          return null;
        }
        return this.#nested(value, guess);
      default:
        throw REFUSED;
    }
  }

  #nested(value: object, guess: Shape | null): Shape | null {
    if (++this.#depth > tag.MAX_DEPTH) throw REFUSED;
    const prototype = Object.getPrototypeOf(value) as object | null;
    let shape: Shape | null = null;
    if (prototype === Object.prototype || prototype === null) shape = this.#plain(value, guess);
    else if (prototype === Array.prototype) this.#array(value as unknown[]);
    else if (!this.#builtin(value, prototype)) {
      if (isPlainArray(value)) this.#array(value);
      else if (isPlainPrototype(prototype)) shape = this.#plain(value, guess);
      else throw REFUSED;
    }
    this.#depth--;
    return shape;
  }

  #number(value: number): void {
    const writer = this.#writer;
    const int = value | 0;
    writer.reserve(9);
    if (int === value && (int !== 0 || !Object.is(value, -0))) {
      writer.bytes[writer.position++] = tag.INT;
      writer.varint(((int << 1) ^ (int >> 31)) >>> 0);
    } else {
      writer.bytes[writer.position++] = tag.FLOAT;
      writer.f64(value);
    }
  }

  #string(value: string): void {
    const writer = this.#writer;
    const length = value.length;
    writer.reserve(length * 3 + 6);
    if (length < SHORT_STRING) {
      const { bytes, position } = writer;
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 127) break;
        bytes[position + 2 + i] = unit;
      }
      if (i === length) {
        bytes[position] = tag.ASCII;
        bytes[position + 1] = length;
        writer.position = position + 2 + length;
        return;
      }
    }
    const unicode = value.isWellFormed();
    writer.u8(unicode ? tag.UTF8 : tag.UTF16);
    const size = unicode ? Buffer.byteLength(value, 'utf8') : length * 2;
    writer.varint(size);
    writer.reserve(size);
    writer.bytes.write(value, writer.position, size, unicode ? 'utf8' : 'utf16le');
    writer.position += size;
  }

  #bigint(value: bigint): void {
    const magnitude = bigintMagnitude(value);
    this.#writer.u8(tag.BIGINT);
    this.#writer.u8(value < 0n ? 1 : 0);
    this.#writer.varint(magnitude.length);
    this.#writer.raw(magnitude);
  }

  #plain(value: object, guess: Shape | null): Shape | null {
    const shape = guess !== null && hasShape(value, guess) ? guess : this.#shapes.shapeOf(value);
    if (shape === null) {
      this.#inline(value);
      return null;
    }
    this.#used.add(shape);
    const writer = this.#writer;
    writer.u8(tag.SHAPED);
    writer.u32(shape.low);
    writer.u32(shape.high);
    const { names, fieldShapes } = shape;
    const fields = value as Record<string, unknown>;
    for (let i = 0; i < names.length; i++) {
      const found = this.#value(fields[names[i]!], fieldShapes[i]!);
      if (found !== null) fieldShapes[i] = found;
    }
    return shape;
  }

  #inline(value: object): void {
    const names = Object.keys(value);
    this.#writer.u8(tag.INLINE);
    this.#writer.varint(names.length);
    for (const name of names) {
      this.#string(name);
      this.#value((value as Record<string, unknown>)[name], null);
    }
  }

  #array(value: readonly unknown[]): void {
    const writer = this.#writer;
    const start = writer.position;
    writer.u8(tag.ARRAY);
    writer.varint(value.length);
    let guess: Shape | null = null;
    for (let i = 0; i < value.length; i++) {
      const element = value[i];
      if (element === undefined && !Object.hasOwn(value, i)) {
        writer.position = start;
        this.#sparse(value);
        return;
      }
      guess = this.#value(element, guess) ?? guess;
    }
  }

  #sparse(value: readonly unknown[]): void {
    const indexes = Object.keys(value).filter(isIndex);
    this.#writer.u8(tag.SPARSE);
    this.#writer.varint(value.length);
    this.#writer.varint(indexes.length);
    for (const index of indexes) {
      this.#writer.varint(Number(index));
      this.#value(value[Number(index)], null);
    }
  }

  #builtin(value: object, prototype: object): boolean {
    const writer = this.#writer;
    const viewKind = viewKindOf(prototype);
    if (viewKind !== undefined) {
      const bytes = bytesOfView(value);
      writer.u8(tag.VIEW);
      writer.u8(viewKind);
      writer.varint(bytes.length);
      writer.raw(bytes);
    } else if (prototype === Date.prototype) {
      writer.u8(tag.DATE);
      writer.f64((value as Date).getTime());
    } else if (prototype === Map.prototype) {
      this.#map(value as Map<unknown, unknown>);
    } else if (prototype === Set.prototype) {
      this.#set(value as Set<unknown>);
    } else if (prototype === ArrayBuffer.prototype) {
      writer.u8(tag.BYTES);
      writer.varint((value as ArrayBuffer).byteLength);
      writer.raw(new Uint8Array(value as ArrayBuffer));
    } else if (prototype === RegExp.prototype) {
      writer.u8(tag.REGEXP);
      this.#string((value as RegExp).source);
      this.#string((value as RegExp).flags);
    } else if (errorKindOf(prototype) !== undefined) {
      this.#error(value as Error, errorKindOf(prototype)!);
    } else if (BOXES.has(prototype)) {
      writer.u8(tag.BOXED);
      this.#value((value as { valueOf(): unknown }).valueOf(), null);
    } else {
      return false;
    }
    return true;
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    this.#writer.u8(tag.MAP);
    this.#writer.varint(value.size);
    let guess: Shape | null = null;
    for (const [key, element] of value) {
      this.#value(key, null);
      guess = this.#value(element, guess) ?? guess;
    }
  }

  #set(value: ReadonlySet<unknown>): void {
    this.#writer.u8(tag.SET);
    this.#writer.varint(value.size);
    for (const element of value) this.#value(element, null);
  }

  #error(value: Error, kind: number): void {
    const hasStack = typeof value.stack === 'string';
    const hasCause = Object.hasOwn(value, 'cause');
    this.#writer.u8(tag.ERROR);
    this.#writer.u8(kind);
    this.#writer.u8((hasStack ? tag.HAS_STACK : 0) | (hasCause ? tag.HAS_CAUSE : 0));
    this.#string(String(value.message));
    if (hasStack) this.#string(value.stack!);
    if (hasCause) this.#value(value.cause, null);
  }
}

/** Thrown inside only, so that the path is worked out off the hot path. */
const REFUSED = Symbol('refused');

const BOXES: ReadonlySet<object> = new Set<object>([
  Number.prototype,
  String.prototype,
  Boolean.prototype,
  BigInt.prototype,
]);

function hasShape(value: object, shape: Shape): boolean {
  const names = shape.names;
  let i = 0;
  for (const name in value) if (names[i++] !== name) return false;
  return i === names.length;
}

function isIndex(name: string): boolean {
  const index = Number(name);
  return Number.isInteger(index) && index >= 0 && index < 2 ** 32 - 1 && String(index) === name;
}

/** One value with its shapes, for tests and small things. @throws UnserializableValueError */
export function encodeValue(value: unknown): { bytes: Uint8Array; shapes: Shape[] } {
  const writer = new ByteWriter();
  const used = new Set<Shape>();
  new ValueEncoder(new ShapeTable()).encode(value, writer, used);
  assert(writer.position > 0, 'every value takes at least one byte');
  return { bytes: writer.copy(), shapes: [...used] };
}
