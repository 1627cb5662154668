import type { ByteReader } from '../codec/byte-reader.ts';
import { decodeKey } from '../codec/key-codec.ts';
import type { ValueDecoder } from '../codec/value-decoder.ts';
import type { Key } from '../element/key.ts';
import type { SubKey } from './entry-table.ts';
import { EXPIRES, RANKED } from './run-format.ts';

/** The two parts of an entry's address as a table of that order stores them. */
export function decodeAddress(
  reader: ByteReader,
  order: 'key' | 'sub',
): { readonly key: Key; readonly sub: SubKey } {
  const first = decodeKey(reader);
  const second = decodeKey(reader);
  // The key itself is never absent: `create` takes none that is.
  return order === 'key' ? { key: first as Key, sub: second } : { key: second as Key, sub: first };
}

/** What an entry holds, in the version it was written in. */
export interface StoredBody {
  readonly expiresAtMs: number;
  readonly rank: number;
  readonly version: number;
  readonly value: unknown;
}

/** Reads the body of an entry that is no tombstone. @throws MalformedDataError */
export function decodeBody(reader: ByteReader, flags: number, decoder: ValueDecoder): StoredBody {
  const expiresAtMs = flags & EXPIRES ? reader.f64() : Number.POSITIVE_INFINITY;
  const rank = flags & RANKED ? reader.f64() : 0;
  return { expiresAtMs, rank, version: reader.varint(), value: decoder.decode(reader) };
}
