import type { KeyGroupRange } from '../element/key-group.ts';
import { cutReferences } from './cut-references.ts';
import { mergeSections } from './run-cursor.ts';
import { corrupt } from './run-damage.ts';
import type { TableRecord } from './run-format.ts';
import type { RunSection } from './run-section.ts';
import { openSections, readRunSlice } from './run-slice.ts';
import type { RunStore } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/**
 * Reads and checks all that an operator subtask restores: of every run only the sections of its key
 * groups. For tests; a store reads what it needs when it needs it.
 *
 * @param references newest first; a reference's `keyGroups` say which of its sections count
 * @returns the tables that hold live entries, by id
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws
 *
 * Cost: every owned byte is read and checked once; memory as much as the unpacked entries.
 */
export async function readRestoredRuns(
  runStore: RunStore,
  references: readonly RunReference[],
  keyGroupRange: KeyGroupRange,
): Promise<ReadonlyMap<number, TableRecord>> {
  const cut = cutReferences(references, keyGroupRange);
  const slices = await Promise.all(
    cut.map((reference) => readRunSlice(runStore, reference, keyGroupRange)),
  );
  const byKeyGroup = new Map<number, RunSection[]>();
  for (const section of slices.flatMap(openSections)) {
    const { keyGroup } = section.source;
    byKeyGroup.set(keyGroup, [...(byKeyGroup.get(keyGroup) ?? []), section]);
  }
  const tables = new Map<number, TableRecord>();
  for (const sections of byKeyGroup.values()) {
    const described = new Map(
      sections.flatMap((section) => section.tables.map((table) => [table.id, table] as const)),
    );
    mergeSections(sections, (cursor) => {
      const id = cursor.block.readUInt32BE(cursor.keyStart);
      const { file, offset } = cursor.section.source;
      const table = described.get(id) ?? corrupt(file, offset, 'an entry of no table');
      if (!cursor.isTombstone) tables.set(id, table);
    });
  }
  return tables;
}
