import type { Manifest, OperatorManifest } from '../checkpoint/manifest.ts';
import { storedTables, versionsOf } from '../checkpoint/state-changes.ts';
import { EXPIRES, RANKED, TOMBSTONE, tableId } from '../state/run-format.ts';
import { runIdOf } from '../state/run-reference.ts';
import { keyGroupsOf, openRuns, sectionsOf } from './dump-table.ts';
import type { OpenRun, RunSource } from './open-run.ts';
import { mergeCursors, SectionCursor } from './section-cursor.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { SHAPED } from '../codec/value-tags.ts';

/** What a keyed table of a checkpoint holds. */
export interface TableFacts {
  readonly name: string;
  /** `value`, `list`, `map`, `window`, ... */
  readonly kind: string;
  /** What the job that wrote the checkpoint declared. */
  readonly version: number;
  /** Versions of stored entries; counted if `exact`, else all that there may be. */
  readonly versions: readonly number[];
  /**
   * Entries in the runs, removed and superseded ones too, not those of key groups of others: an
   * upper bound.
   */
  readonly entriesAtMost: number;
  /** What the entries really are; null if they were not read. */
  readonly exact: ExactFacts | null;
}

/** What reading all entries of a table tells. */
export interface ExactFacts {
  /** That a restore would find, expired ones too. */
  readonly entries: number;
  /** Of those: their TTL was over. */
  readonly expired: number;
  /** Of their keys and values, before compression. */
  readonly bytes: number;
  /** Field names of values that are objects, with how many there are; the most first. */
  readonly shapes: readonly { readonly fields: readonly string[]; readonly entries: number }[];
}

/** What an operator of a checkpoint holds. */
export interface OperatorFacts {
  readonly operatorUid: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly runs: number;
  /** As stored; a run that several subtasks share counts once. */
  readonly runBytes: number;
  /** Entries in all its runs, removed and superseded ones too. */
  readonly runEntries: number;
  readonly tables: readonly TableFacts[];
  /** Lists of operator state. */
  readonly lists: readonly {
    readonly name: string;
    readonly redistribution: string;
    readonly elements: number;
  }[];
}

/** How the tables of a checkpoint are looked at. */
export interface TableFactsOptions {
  /** Operators whose runs have no more bytes than this are read to be counted exactly. */
  readonly exactBytesMax: number;
  /** Wall clock, for what has expired. */
  readonly nowMs: number;
}

/**
 * What the operators of a checkpoint hold, in the order of the manifest. Small operators are read;
 * of large ones only what footers and directories say.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the source throws
 */
export async function readTableFacts(
  manifest: Manifest,
  source: RunSource,
  options: TableFactsOptions,
): Promise<OperatorFacts[]> {
  const facts: OperatorFacts[] = [];
  for (const [operatorUid, operator] of Object.entries(manifest.operators)) {
    facts.push(await operatorFacts(operatorUid, operator, source, options));
  }
  return facts;
}

async function operatorFacts(
  operatorUid: string,
  operator: OperatorManifest,
  source: RunSource,
  { exactBytesMax, nowMs }: TableFactsOptions,
): Promise<OperatorFacts> {
  const { parallelism, maxParallelism, subtasks } = operator;
  const references = subtasks.flatMap(({ keyed }) => keyed?.runs ?? []);
  const runs = new Map(references.map((run) => [runIdOf(run), run]));
  const runBytes = [...runs.values()].reduce((sum, { length }) => sum + length, 0);
  const isExact = runBytes <= exactBytesMax;
  const counts = new Map<number, TableCount>();
  for (const { name, generation } of storedTables(operator)) {
    counts.set(tableId(name, generation), newCount());
  }
  for (const { keyed } of subtasks) {
    if (keyed === null) continue;
    const opened = await openRuns(source, keyed);
    for (const keyGroup of keyGroupsOf(keyed, opened)) {
      await countKeyGroup(source, opened, keyGroup, counts, isExact ? nowMs : null);
    }
  }
  const tables = storedTables(operator).map((table): TableFacts => {
    const { name, kind, version, generation } = table;
    const { atMost, versions, ...exact } = counts.get(tableId(name, generation))!;
    return {
      name,
      kind,
      version,
      versions: isExact ? [...versions].sort((a, b) => a - b) : versionsOf(table),
      entriesAtMost: atMost,
      exact: isExact ? exactFacts(exact) : null,
    };
  });
  return {
    operatorUid,
    parallelism,
    maxParallelism,
    runs: runs.size,
    runBytes,
    runEntries: [...runs.values()].reduce((sum, { entries }) => sum + entries, 0),
    tables,
    lists: listFacts(operator),
  };
}

interface TableCount {
  atMost: number;
  entries: number;
  expired: number;
  bytes: number;
  readonly versions: Set<number>;
  /** By JSON text of the names. */
  readonly shapes: Map<string, number>;
}

function newCount(): TableCount {
  return { atMost: 0, entries: 0, expired: 0, bytes: 0, versions: new Set(), shapes: new Map() };
}

function exactFacts({
  entries,
  expired,
  bytes,
  shapes,
}: Omit<TableCount, 'atMost' | 'versions'>): ExactFacts {
  const found = [...shapes].map(([names, count]) => {
    return { fields: JSON.parse(names) as string[], entries: count }; // written by `ShapeTable`
  });
  return { entries, expired, bytes, shapes: found.sort((a, b) => b.entries - a.entries) };
}

/** @param nowMs null: entries are not read */
async function countKeyGroup(
  source: RunSource,
  runs: readonly OpenRun[],
  keyGroup: number,
  counts: ReadonlyMap<number, TableCount>,
  nowMs: number | null,
): Promise<void> {
  const sections = await sectionsOf(source, runs, keyGroup);
  for (const { directory } of sections) {
    // How a section's entries spread over its tables only its blocks tell.
    for (const { id } of directory.tables) {
      const count = counts.get(id);
      if (count !== undefined) count.atMost += directory.entries;
    }
  }
  if (nowMs === null) return;
  const shapes = new Map<string, string>();
  for (const { directory } of sections) {
    for (const { low, high, names } of directory.shapes) shapes.set(`${low} ${high}`, names);
  }
  const from = new Uint8Array(0);
  const cursors = sections.map((section) => new SectionCursor(source, section, from, null));
  for await (const { block, entry } of mergeCursors(cursors, from, null)) {
    const count = counts.get(block.readUInt32BE(entry.keyStart));
    if (count !== undefined && (entry.flags & TOMBSTONE) === 0) {
      countEntry(block, entry, count, shapes, nowMs);
    }
  }
}

function countEntry(
  block: Buffer,
  entry: SectionCursor['entry'],
  count: TableCount,
  shapes: ReadonlyMap<string, string>,
  nowMs: number,
): void {
  const { keyStart, keyEnd, bodyEnd, flags } = entry;
  const body = new ByteReader(block, keyEnd, bodyEnd);
  count.entries++;
  count.bytes += bodyEnd - keyStart;
  if ((flags & EXPIRES) !== 0 && body.f64() <= nowMs) count.expired++;
  if ((flags & RANKED) !== 0) body.f64();
  count.versions.add(body.varint());
  if (body.remaining < 9 || body.u8() !== SHAPED) return;
  const names = shapes.get(`${body.u32()} ${body.u32()}`);
  if (names !== undefined) count.shapes.set(names, (count.shapes.get(names) ?? 0) + 1);
}

function listFacts({ subtasks }: OperatorManifest): OperatorFacts['lists'] {
  const lists = new Map<string, { redistribution: string; elements: number }>();
  for (const { name, redistribution, elements } of subtasks.flatMap((subtask) => subtask.lists)) {
    const before = lists.get(name)?.elements ?? 0;
    lists.set(name, { redistribution, elements: before + elements.length });
  }
  return [...lists].map(([name, list]) => ({ name, ...list }));
}
