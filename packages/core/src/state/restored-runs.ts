import { ByteReader } from '../codec/byte-reader.ts';
import { ShapeTable } from '../codec/shape-table.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import { cutReferences } from './cut-references.ts';
import { mergeSections, type RunCursor } from './run-cursor.ts';
import type { TableRecord } from './run-format.ts';
import { guarded } from './run-damage.ts';
import type { RunSection } from './run-section.ts';
import { openSections, readRunSlice } from './run-slice.ts';
import type { RunStore } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/** A stored entry, not yet decoded. */
export interface RestoredEntry {
  readonly keyGroup: number;
  /** Its key as it stands in the run. */
  readonly key: Uint8Array;
  readonly flags: number;
  /** Stands behind the table's id, before key and sub key; the body follows them. */
  readonly reader: ByteReader;
  /** For messages. */
  readonly file: string;
  readonly fileOffset: number;
}

interface TableEntries {
  readonly keyGroups: number[];
  readonly sections: RunSection[];
  readonly blocks: Buffer[];
  /** Three numbers per entry: start of the key, end of the key, end of the body. */
  readonly places: number[];
  readonly flags: number[];
}

/** What a restored subtask's runs hold for its key groups: read and checked, not yet decoded. */
export class RestoredRuns {
  /** Cut to the subtask's key groups, newest first: the first snapshot refers to them again. */
  readonly references: readonly RunReference[];
  readonly shapes = new ShapeTable();
  readonly tables = new Map<number, TableRecord>();
  readonly #entries = new Map<number, TableEntries>();

  constructor(references: readonly RunReference[]) {
    this.references = references;
  }

  /** Takes in the sections of one key group, newest first. @throws CorruptRunError */
  add(sections: readonly RunSection[]): void {
    for (const section of sections) {
      for (const table of section.tables) {
        if (!this.tables.has(table.id)) this.tables.set(table.id, table);
      }
      const { file, offset } = section.source;
      guarded(file, offset, () => {
        for (const shape of section.shapes) this.shapes.add(shape);
      });
    }
    mergeSections(sections, (cursor) => {
      if (!cursor.isTombstone) this.#keep(cursor);
    });
  }

  /** Ids of the tables that hold entries. */
  tableIds(): Iterable<number> {
    return this.#entries.keys();
  }

  /** Gives the entries of a table, by key group and then in its order, and forgets them. */
  take(tableId: number, accept: (entry: RestoredEntry) => void): void {
    const entries = this.#entries.get(tableId);
    if (entries === undefined) return;
    this.#entries.delete(tableId);
    for (let i = 0; i < entries.blocks.length; i++) {
      const block = entries.blocks[i]!;
      const { file, offset } = entries.sections[i]!.source;
      const keyStart = entries.places[3 * i]!;
      accept({
        keyGroup: entries.keyGroups[i]!,
        key: block.subarray(keyStart, entries.places[3 * i + 1]!),
        flags: entries.flags[i]!,
        reader: new ByteReader(block, keyStart + 4, entries.places[3 * i + 2]!),
        file,
        fileOffset: offset,
      });
    }
  }

  #keep(cursor: RunCursor): void {
    const tableId = cursor.block.readUInt32BE(cursor.keyStart);
    let entries = this.#entries.get(tableId);
    if (entries === undefined) {
      entries = { keyGroups: [], sections: [], blocks: [], places: [], flags: [] };
      this.#entries.set(tableId, entries);
    }
    entries.keyGroups.push(cursor.section.source.keyGroup);
    entries.sections.push(cursor.section);
    entries.blocks.push(cursor.block);
    entries.places.push(cursor.keyStart, cursor.keyEnd, cursor.bodyEnd);
    entries.flags.push(cursor.flags);
  }
}

/**
 * Reads what an operator subtask restores: of every run only the sections of its key groups.
 *
 * @param references newest first; a reference's `keyGroups` say which of its sections count
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws
 *
 * Cost: every owned byte is read and checked once; memory as much as the unpacked entries.
 */
export async function readRestoredRuns(
  runStore: RunStore,
  references: readonly RunReference[],
  keyGroupRange: KeyGroupRange,
): Promise<RestoredRuns> {
  const cut = cutReferences(references, keyGroupRange);
  const slices = await Promise.all(
    cut.map((reference) => readRunSlice(runStore, reference, keyGroupRange)),
  );
  const byKeyGroup = new Map<number, RunSection[]>();
  for (const slice of slices) {
    for (const section of openSections(slice)) {
      const { keyGroup } = section.source;
      byKeyGroup.set(keyGroup, [...(byKeyGroup.get(keyGroup) ?? []), section]);
    }
  }
  const restored = new RestoredRuns(cut);
  const keyGroups = [...byKeyGroup.keys()].sort((a, b) => a - b);
  for (const keyGroup of keyGroups) restored.add(byKeyGroup.get(keyGroup)!);
  return restored;
}
