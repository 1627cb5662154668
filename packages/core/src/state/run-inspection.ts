import { ByteReader } from '../codec/byte-reader.ts';
import { ShapeTable } from '../codec/shape-table.ts';
import { ValueDecoder } from '../codec/value-decoder.ts';
import type { Key } from '../element/key.ts';
import type { SubKey } from './entry-table.ts';
import { checksum } from './run-compression.ts';
import { RunCursor } from './run-cursor.ts';
import { corrupt, guarded } from './run-damage.ts';
import type { RunSection } from './run-section.ts';
import { openSections, readRunSlice } from './run-slice.ts';
import type { RunStore } from './run-store.ts';
import type { RunReference } from './snapshot.ts';
import { decodeAddress, decodeBody } from './stored-body.ts';

/** An entry of a run as a person wants to see it; no job is needed to read it. */
export interface InspectedEntry {
  readonly table: string;
  readonly kind: string;
  readonly keyGroup: number;
  readonly key: Key;
  readonly sub: SubKey;
  /** True: the run says that the entry has ended; the fields below are then without meaning. */
  readonly isTombstone: boolean;
  /** As it was stored, before any `migrate`. */
  readonly value: unknown;
  readonly version: number;
  readonly expiresAtMs: number;
}

/**
 * Reads a run entry by entry, in its order, checking everything on the way. Reading to the end
 * verifies the run; the whole-run checksum of the reference is compared first.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws
 *
 * Cost: the run is read twice, the second time only in the reference's key groups; memory O(run).
 */
export async function* inspectRun(
  runStore: RunStore,
  reference: RunReference,
): AsyncGenerator<InspectedEntry, void, undefined> {
  await verifyRunChecksum(runStore, reference);
  const slice = await readRunSlice(runStore, reference, reference.keyGroups);
  for (const section of openSections(slice)) yield* inspectSection(section);
}

/** Compares a run's bytes with the checksum in its reference. @throws CorruptRunError */
export async function verifyRunChecksum(
  runStore: RunStore,
  reference: RunReference,
): Promise<void> {
  let crc = 0;
  for (let at = 0; at < reference.length; at += READ_BYTES) {
    const length = Math.min(READ_BYTES, reference.length - at);
    const bytes = await runStore.read(reference, at, length);
    if (bytes.length !== length) {
      corrupt(reference.file, reference.offset + at, 'the file ends too early');
    }
    crc = checksum(bytes, crc);
  }
  if (crc !== reference.crc32) {
    corrupt(reference.file, reference.offset, 'the checksum of the whole run');
  }
}

const READ_BYTES = 8 << 20;

function* inspectSection(section: RunSection): Generator<InspectedEntry, void, undefined> {
  const { file, offset, keyGroup } = section.source;
  const shapes = new ShapeTable();
  guarded(file, offset, () => {
    for (const shape of section.shapes) shapes.add(shape);
  });
  const decoder = new ValueDecoder(shapes);
  const tables = new Map(section.tables.map((table) => [table.id, table]));
  for (const cursor = new RunCursor(section); !cursor.done; cursor.next()) {
    const table = tables.get(cursor.block.readUInt32BE(cursor.keyStart));
    if (table === undefined) return corrupt(file, offset, 'an entry of an unknown table');
    const reader = new ByteReader(cursor.block, cursor.keyStart + 4, cursor.bodyEnd);
    const { flags, isTombstone } = cursor;
    yield guarded(file, offset, () => ({
      table: table.name,
      kind: table.kind,
      keyGroup,
      ...decodeAddress(reader, table.order),
      isTombstone,
      ...(isTombstone ? NOTHING : decodeBody(reader, flags, decoder)),
    }));
  }
}

const NOTHING = { value: undefined, version: 0, expiresAtMs: Number.POSITIVE_INFINITY };
