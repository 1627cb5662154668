import { storedTables } from '../checkpoint/state-changes.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { encodeKey } from '../codec/key-codec.ts';
import { ShapeTable } from '../codec/shape-table.ts';
import { ValueDecoder } from '../codec/value-decoder.ts';
import type { OperatorManifest } from '../checkpoint/manifest.ts';
import { type Key, keyIdentity } from '../element/key.ts';
import { keyGroupOf } from '../element/key-group.ts';
import { keyAfter } from '../state/cold-state.ts';
import type { SubKey } from '../state/entry-table.ts';
import { guarded } from '../state/run-damage.ts';
import { TOMBSTONE, type TableRecord, tableId } from '../state/run-format.ts';
import type { KeyedStateSnapshot } from '../state/snapshot.ts';
import { decodeAddress, decodeBody } from '../state/stored-body.ts';
import {
  type OpenRun,
  openRun,
  openSection,
  type OpenSection,
  type RunSource,
} from './open-run.ts';
import { mergeCursors, SectionCursor } from './section-cursor.ts';

/** A stored entry as it counts for a restore, and as it was written: before any `migrate`. */
export interface DumpedEntry {
  readonly keyGroup: number;
  readonly key: Key;
  /** Map key, number of a list element, time, window; undefined where there is none. */
  readonly sub: SubKey;
  readonly value: unknown;
  readonly version: number;
  /** When a TTL ends it; Infinity = never. */
  readonly expiresAtMs: number;
  /** Its TTL was over at `nowMs`: a restored job does not see it. */
  readonly isExpired: boolean;
}

/** What to dump of a table. */
export interface DumpOptions {
  /** Only this key: its key group alone is read, and of it only the blocks that may hold it. */
  readonly key?: Key;
  /** Expired entries too. */
  readonly includeExpired?: boolean;
  /** Wall clock: what has expired by then counts as expired. */
  readonly nowMs: number;
}

/**
 * The entries of a keyed table over all subtasks of an operator, without the job and its code: runs
 * merged newest first, removed entries left out. By key group; within one in the order of the
 * table: key then sub key, or (timers, windows) sub key then key.
 *
 * Memory: for each run of one subtask the directory of one section and 1 MiB or its largest block.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the source throws
 */
export async function* dumpTable(
  operator: OperatorManifest,
  source: RunSource,
  table: string,
  options: DumpOptions,
): AsyncGenerator<DumpedEntry, void, undefined> {
  const { key, includeExpired = false, nowMs } = options;
  const keyGroup = key === undefined ? null : keyGroupOf(key, operator.maxParallelism);
  const stored = storedTables(operator).find(({ name }) => name === table);
  for (const { keyed } of operator.subtasks) {
    if (keyed === null) continue;
    if (keyGroup !== null && !contains(keyed.keyGroups, keyGroup)) continue;
    const runs = await openRuns(source, keyed);
    for (const group of keyGroup === null ? keyGroupsOf(keyed, runs) : [keyGroup]) {
      const scan = await openScan(source, runs, group, tableId(table, stored?.generation), key);
      if (scan === null) continue;
      for await (const entry of decodedEntries(scan, nowMs)) {
        if (key !== undefined && keyIdentity(entry.key) !== keyIdentity(key)) continue;
        if (includeExpired || !entry.isExpired) yield entry;
      }
    }
  }
}

/** Header and footer of all runs of a subtask, newest first. */
export function openRuns(source: RunSource, { runs }: KeyedStateSnapshot): Promise<OpenRun[]> {
  return Promise.all(runs.map((reference) => openRun(source, reference)));
}

/** The key groups that a subtask owns and has entries of, ascending. */
export function keyGroupsOf({ keyGroups }: KeyedStateSnapshot, runs: readonly OpenRun[]): number[] {
  const groups = runs.flatMap(({ reference, footer }) =>
    footer.sections
      .map(({ keyGroup }) => keyGroup)
      .filter((group) => contains(keyGroups, group) && contains(reference.keyGroups, group)),
  );
  return [...new Set(groups)].sort((a, b) => a - b);
}

/** The sections of a key group, newest first. */
export function sectionsOf(
  source: RunSource,
  runs: readonly OpenRun[],
  keyGroup: number,
): Promise<OpenSection[]> {
  const found = runs.flatMap((run) => {
    if (!contains(run.reference.keyGroups, keyGroup)) return [];
    const place = run.footer.sections.find((section) => section.keyGroup === keyGroup);
    return place === undefined ? [] : [{ run, place }];
  });
  return Promise.all(found.map(({ run, place }) => openSection(source, run, place)));
}

interface Scan {
  readonly keyGroup: number;
  readonly table: TableRecord;
  readonly cursors: readonly SectionCursor[];
  readonly from: Uint8Array;
  readonly to: Uint8Array | null;
  readonly shapes: ShapeTable;
}

/** @returns null if no section of the key group names the table */
async function openScan(
  source: RunSource,
  runs: readonly OpenRun[],
  keyGroup: number,
  id: number,
  key: Key | undefined,
): Promise<Scan | null> {
  const sections = await sectionsOf(source, runs, keyGroup);
  const tables = sections.flatMap(({ directory }) => directory.tables);
  const table = tables.find((record) => record.id === id);
  if (table === undefined) return null;
  const prefix = new ByteWriter(64);
  for (const shift of [24, 16, 8, 0]) prefix.u8((id >>> shift) & 0xff);
  if (key !== undefined && table.order === 'key') encodeKey(prefix, key);
  const from = prefix.copy();
  const to = keyAfter(from);
  const shapes = new ShapeTable();
  for (const { run, place, directory } of sections) {
    const { file, offset } = run.reference;
    guarded(file, offset + place.start, () => {
      for (const shape of directory.shapes) shapes.add(shape);
    });
  }
  const cursors = sections.map((section) => new SectionCursor(source, section, from, to));
  return { keyGroup, table, cursors, from, to, shapes };
}

async function* decodedEntries(
  { keyGroup, table, cursors, from, to, shapes }: Scan,
  nowMs: number,
): AsyncGenerator<DumpedEntry, void, undefined> {
  const decoder = new ValueDecoder(shapes);
  for await (const { block, entry, file, blockOffset } of mergeCursors(cursors, from, to)) {
    const { flags } = entry;
    if ((flags & TOMBSTONE) !== 0) continue;
    const reader = new ByteReader(block, entry.keyStart + 4, entry.bodyEnd);
    yield guarded(file, blockOffset, () => {
      const address = decodeAddress(reader, table.order);
      const { value, version, expiresAtMs } = decodeBody(reader, flags, decoder);
      return {
        keyGroup,
        ...address,
        value,
        version,
        expiresAtMs,
        isExpired: expiresAtMs <= nowMs,
      };
    });
  }
}

function contains(range: { readonly first: number; readonly last: number }, at: number): boolean {
  return at >= range.first && at <= range.last;
}
