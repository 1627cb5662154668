import { ByteWriter } from '../codec/byte-writer.ts';
import { encodeKey } from '../codec/key-codec.ts';
import type { Shape } from '../codec/shape-table.ts';
import type { ValueEncoder } from '../codec/value-encoder.ts';
import type { Key } from '../element/key.ts';
import type { SubKey } from './entry-table.ts';
import { EXPIRES, LENGTH_MASK, RANKED, TOMBSTONE } from './run-format.ts';
import { StateTooLargeError } from './state-errors.ts';
import type { StateTable } from './state-table.ts';

// What the store hands to the job that builds a run: records in any order.
//
//   record   keyGroup u16, sequence f64, keyLength u32, bodyLength u32 | flags, key, body
//
// Of records with one key the one with the highest sequence wins; sequences are unique.

/** Bytes before a record's key. */
export const RECORD_HEADER_BYTES = 18;
/** A growing buffer would be copied again and again; chunks are transferred as they are. */
const CHUNK_BYTES = 1 << 20;

/** The encoded records of a segment. */
export class RecordStream {
  records = 0;
  /** The shapes that the values of each key group refer to. */
  readonly shapes = new Map<number, Set<Shape>>();
  #full: Uint8Array[] = [];
  #writer = new ByteWriter(1_024);

  /**
   * Appends an entry with a value; on an error nothing is appended.
   *
   * @returns bytes of the value as it is stored
   * @throws UnserializableValueError StateTooLargeError
   */
  put(
    table: StateTable,
    keyGroup: number,
    key: Key,
    sub: SubKey,
    sequence: number,
    stored: { readonly value: unknown; readonly expiresAtMs: number; readonly rank: number },
    encoder: ValueEncoder,
  ): number {
    const writer = this.#roomyWriter();
    const start = writer.position;
    try {
      const body = this.#begin(table, keyGroup, key, sub, sequence);
      let flags = 0;
      if (stored.expiresAtMs !== Number.POSITIVE_INFINITY) {
        flags += EXPIRES;
        writer.f64(stored.expiresAtMs);
      }
      if (table.kind === 'map') {
        flags += RANKED;
        writer.f64(stored.rank);
      }
      writer.varint(table.version);
      encoder.encode(stored.value, writer, this.#shapesOf(keyGroup), table.name);
      this.#end(start, body, flags, table);
      return writer.position - body;
    } catch (error) {
      writer.position = start;
      throw error;
    }
  }

  /** Appends the end of an entry. */
  putTombstone(table: StateTable, keyGroup: number, key: Key, sub: SubKey, sequence: number): void {
    const writer = this.#roomyWriter();
    const start = writer.position;
    const body = this.#begin(table, keyGroup, key, sub, sequence);
    this.#end(start, body, TOMBSTONE, table);
  }

  /** Bytes of all records. */
  get bytes(): number {
    return this.#full.reduce((sum, { length }) => sum + length, this.#writer.position);
  }

  /** Takes over what another stream holds, which must not be used any more. */
  absorb(other: RecordStream): void {
    if (other.records === 0) return;
    this.#full = [...other.takeChunks(), ...this.#full];
    this.records += other.records;
    for (const [keyGroup, shapes] of other.shapes) {
      const mine = this.#shapesOf(keyGroup);
      for (const shape of shapes) mine.add(shape);
    }
  }

  /** Everything, as buffers of their own; the stream is empty afterwards. */
  takeChunks(): Uint8Array[] {
    const chunks = this.#full;
    if (this.#writer.position > 0) chunks.push(this.#writer.written());
    this.#full = [];
    this.#writer = new ByteWriter(0);
    return chunks;
  }

  #begin(table: StateTable, keyGroup: number, key: Key, sub: SubKey, sequence: number): number {
    const writer = this.#writer;
    const start = writer.position;
    writer.reserve(RECORD_HEADER_BYTES + 4);
    writer.view.setUint16(start, keyGroup, true);
    writer.view.setFloat64(start + 2, sequence, true);
    writer.view.setUint32(start + RECORD_HEADER_BYTES, table.id, false);
    writer.position = start + RECORD_HEADER_BYTES + 4;
    if (table.order === 'key') {
      encodeKey(writer, key);
      encodeKey(writer, sub);
    } else {
      encodeKey(writer, sub);
      encodeKey(writer, key);
    }
    return writer.position;
  }

  #end(start: number, body: number, flags: number, table: StateTable): void {
    const writer = this.#writer;
    const keyLength = body - start - RECORD_HEADER_BYTES;
    const bodyLength = writer.position - body;
    if (Math.max(keyLength, bodyLength) > LENGTH_MASK) {
      throw new StateTooLargeError(
        `an entry of state "${table.name}" takes ${Math.max(keyLength, bodyLength)} bytes`,
        { what: table.name, bytes: Math.max(keyLength, bodyLength) },
        { hint: 'Split it: list and map state store each element by itself.' },
      );
    }
    writer.view.setUint32(start + 10, keyLength, true);
    writer.view.setUint32(start + 14, (bodyLength + flags) >>> 0, true);
    this.records++;
  }

  #shapesOf(keyGroup: number): Set<Shape> {
    let shapes = this.shapes.get(keyGroup);
    if (shapes === undefined) {
      shapes = new Set();
      this.shapes.set(keyGroup, shapes);
    }
    return shapes;
  }

  #roomyWriter(): ByteWriter {
    if (this.#writer.position >= CHUNK_BYTES) {
      this.#full.push(this.#writer.written());
      this.#writer = new ByteWriter(CHUNK_BYTES + (CHUNK_BYTES >> 2));
    }
    return this.#writer;
  }
}
