import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { encodeKey } from '../codec/key-codec.ts';
import { toTaggedJson } from '../codec/tagged-json.ts';
import { ValueDecoder } from '../codec/value-decoder.ts';
import type { Key } from '../element/key.ts';
import { type ColdCursor, type ColdEntry, type ColdState, keyAfter } from './cold-state.ts';
import type { SubKey } from './entry-table.ts';
import { guarded } from './run-damage.ts';
import { StateIncompatibleError } from './state-errors.ts';
import type { StateTable } from './state-table.ts';
import { decodeAddress, decodeBody, type StoredBody } from './stored-body.ts';

/** What a run holds for an address, in the form that the job declares. */
export interface StoredValue {
  readonly value: unknown;
  readonly expiresAtMs: number;
  readonly rank: number;
  /** Length of the value as it is stored. */
  readonly encodedBytes: number;
  /** It was of an older version: to be written again in its present form. */
  readonly isMigrated: boolean;
}

/** The same with its address. */
export interface StoredRecord extends StoredValue {
  readonly key: Key;
  readonly keyGroup: number;
  readonly sub: SubKey;
}

/** Counts for the metrics. */
export interface ReadCounts {
  /** Look-ups of one address, and scans of the entries of one key. */
  reads: number;
  /** Those that found something. */
  hits: number;
}

/** Reads entries of declared tables out of the runs: decodes, migrates, leaves out the expired. */
export class EntryReader {
  readonly cold: ColdState;
  readonly counts: ReadCounts = { reads: 0, hits: 0 };
  readonly #nowMs: () => number;
  readonly #operatorUid: string;
  readonly #decoder: ValueDecoder;
  readonly #writer = new ByteWriter(64);

  constructor(cold: ColdState, nowMs: () => number, operatorUid: string) {
    this.cold = cold;
    this.#nowMs = nowMs;
    this.#operatorUid = operatorUid;
    this.#decoder = new ValueDecoder(cold.shapes);
  }

  /**
   * The entry of that address, unless it has ended or expired.
   *
   * @throws StateIncompatibleError CorruptRunError, and what the storage throws; as all others
   */
  find(table: StateTable, keyGroup: number, key: Key, sub: SubKey): StoredValue | null {
    this.counts.reads++;
    this.#writeKey(table, key);
    encodeKey(this.#writer, sub);
    const entry = this.cold.find(keyGroup, this.#written());
    if (entry === null) return null;
    const stored = guarded(entry.file, entry.fileOffset, () => this.#decode(table, entry));
    if (stored.expiresAtMs <= this.#nowMs()) return null;
    this.counts.hits++;
    return stored;
  }

  /** The entries of one key of a table of order `key`, in the order of their sub keys. */
  scan(table: StateTable, keyGroup: number, key: Key): StoredRecords {
    this.counts.reads++;
    this.#writeKey(table, key);
    return this.#records(table, this.cold.scan(keyGroup, new Uint8Array(this.#written())));
  }

  /**
   * All entries of a table in one key group, in its order.
   *
   * @param wants entries for whose address it says false are neither decoded nor given
   */
  range(table: StateTable, keyGroup: number, wants?: Wants): StoredRecords {
    this.#writer.position = 0;
    this.#writeTable(table);
    const from = new Uint8Array(this.#written()); // a copy; `slice` of a Buffer is none
    return this.#records(table, this.cold.range(keyGroup, from, keyAfter(from)), wants);
  }

  /** The largest rank that any stored entry of the table has; -1 if none has. */
  maxRank(table: StateTable): number {
    if (this.cold.isEmpty) return -1;
    return this.cold.tables().find(({ id }) => id === table.id)?.maxRank ?? -1;
  }

  #records(table: StateTable, cursor: ColdCursor, wants?: Wants): StoredRecords {
    const next = (): StoredRecord | null => {
      for (;;) {
        const entry = cursor.next();
        if (entry === null) return null;
        const record = guarded(entry.file, entry.fileOffset, () => {
          const address = decodeAddress(new ByteReader(entry.key, 4), table.order);
          if (wants?.(address.key, address.sub) === false) return null;
          return { ...address, keyGroup: entry.keyGroup, ...this.#decode(table, entry) };
        });
        if (record !== null && record.expiresAtMs > this.#nowMs()) return record;
      }
    };
    return { next };
  }

  #decode(table: StateTable, entry: ColdEntry): StoredValue {
    const { body, flags } = entry;
    const start = body.position;
    const stored = decodeBody(body, flags, this.#decoder);
    const isMigrated = stored.version !== table.version;
    return {
      expiresAtMs: stored.expiresAtMs,
      rank: stored.rank,
      value: isMigrated ? this.#migrate(table, stored, entry) : stored.value,
      encodedBytes: body.position - start,
      isMigrated,
    };
  }

  #migrate(table: StateTable, { value, version }: StoredBody, entry: ColdEntry): unknown {
    if (version > table.version) {
      this.#fail(table, `it was stored as version ${version}, the job declares ${table.version}`);
    }
    if (table.migrate === undefined) {
      this.#fail(
        table,
        `it was stored as version ${version}, the job declares ${table.version} and no migrate`,
      );
    }
    try {
      return table.migrate(value, version);
    } catch (cause) {
      const { key } = decodeAddress(new ByteReader(entry.key, 4), table.order);
      const shown = JSON.stringify(toTaggedJson(key));
      const reason = `migrate failed for the value of key ${shown}, version ${version}`;
      return this.#fail(table, reason, cause);
    }
  }

  #fail(table: StateTable, reason: string, cause?: unknown): never {
    throw incompatible(this.#operatorUid, table.name, reason, cause);
  }

  #writeKey(table: StateTable, key: Key): void {
    this.#writer.position = 0;
    this.#writeTable(table);
    encodeKey(this.#writer, key);
  }

  // Big endian: keys sort as bytes.
  #writeTable({ id }: StateTable): void {
    this.#writer.reserve(4);
    this.#writer.view.setUint32(this.#writer.position, id, false);
    this.#writer.position += 4;
  }

  #written(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.position);
  }
}

/** Whether the entry of an address is of interest. */
export type Wants = (key: Key, sub: SubKey) => boolean;

/** Walks records; each is decoded when it comes. */
export interface StoredRecords {
  /** The next one, or null at the end. */
  next(): StoredRecord | null;
}

/** The error for stored state that does not fit what the job declares. */
export function incompatible(
  operatorUid: string,
  state: string,
  reason: string,
  cause?: unknown,
): StateIncompatibleError {
  return new StateIncompatibleError(
    `could not restore state "${state}" of operator "${operatorUid}": ${reason}`,
    { operatorUid, state, reason },
    {
      hint: 'Give the state a `migrate` for the stored version, or another name.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
