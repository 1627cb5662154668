import type { BackgroundJob } from '../base/environment.ts';
import type { ShapeRecord } from '../codec/shape-table.ts';
import { mergeSections } from './run-cursor.ts';
import type { SectionNames, TableRecord } from './run-format.ts';
import type { RunSection } from './run-section.ts';
import { openSections, type RunSlice } from './run-slice.ts';
import type { EncodedRun } from './run-store.ts';
import { type RunCompression, RunWriter } from './run-writer.ts';

/** Input of `compactRunsJob`; plain data. */
export interface CompactRunsInput {
  /** Newest first, next to each other in the list of live runs. */
  readonly slices: readonly RunSlice[];
  /** Whether no older run exists: only then may tombstones and expired entries vanish. */
  readonly includesOldest: boolean;
  readonly nowMs: number;
  readonly compression: RunCompression;
}

/** Merges runs into one without decoding a value. Cost: O(bytes). */
export const compactRunsJob: BackgroundJob<CompactRunsInput, EncodedRun | null> = {
  name: 'compact-runs',
  module: import.meta.url,
  exportName: 'compactRunsJob',
  run: compactRuns,
  transferInput: (input) => [...new Set(input.slices.flatMap(ownBuffer))],
  transferOutput: (output) => output?.chunks.map((chunk) => chunk.buffer as ArrayBuffer) ?? [],
};

// A small buffer is cheap to copy, and may be a part of a pool that cannot be given away.
function ownBuffer({ bytes }: RunSlice): ArrayBuffer[] {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength > 64 << 10 ? [buffer] : [];
}

/** @returns null if nothing is left */
function compactRuns(input: CompactRunsInput): EncodedRun | null {
  const byKeyGroup = new Map<number, RunSection[]>();
  for (const slice of input.slices) {
    for (const section of openSections(slice)) {
      const sections = byKeyGroup.get(section.source.keyGroup);
      if (sections === undefined) byKeyGroup.set(section.source.keyGroup, [section]);
      else sections.push(section);
    }
  }
  const writer = new RunWriter(input.compression);
  for (const [keyGroup, sections] of [...byKeyGroup].sort(([a], [b]) => a - b)) {
    writer.beginSection(keyGroup, unite(sections));
    mergeSections(sections, (cursor) => {
      const dead = cursor.isTombstone || cursor.expiresAtMs <= input.nowMs;
      if (dead && input.includesOldest) return;
      const { block, keyStart, keyEnd, flags, bodyEnd } = cursor;
      writer.add(block, keyStart, keyEnd, bodyEnd, flags);
    });
    writer.endSection();
  }
  return writer.finish();
}

function unite(sections: readonly RunSection[]): SectionNames {
  const tables = new Map<number, TableRecord>();
  const shapes = new Map<string, ShapeRecord>();
  for (const section of sections) {
    for (const table of section.tables) if (!tables.has(table.id)) tables.set(table.id, table);
    for (const shape of section.shapes) shapes.set(shape.names, shape);
  }
  return { tables: [...tables.values()], shapes: [...shapes.values()] };
}
