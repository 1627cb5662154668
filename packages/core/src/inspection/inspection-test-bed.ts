import { ShapeTable, shapeRecord } from '../codec/shape-table.ts';
import { ValueEncoder } from '../codec/value-encoder.ts';
import type { Key } from '../element/key.ts';
import { keyGroupOf } from '../element/key-group.ts';
import { buildRunJob } from '../state/build-run-job.ts';
import type { SubKey } from '../state/entry-table.ts';
import { RecordStream } from '../state/record-stream.ts';
import { tableId } from '../state/run-format.ts';
import { referenceTo } from '../state/run-reference.ts';
import type { EncodedRun } from '../state/run-store.ts';
import type { RunReference } from '../state/snapshot.ts';
import type { StateTable } from '../state/state-table.ts';
import type { RunSource } from './open-run.ts';

/** An entry of a run to be written; without `value` it is the end of an entry. */
export interface EntryToWrite {
  readonly table: StateTable;
  readonly key: Key;
  readonly sub?: SubKey;
  readonly value?: unknown;
  readonly expiresAtMs?: number;
  readonly rank?: number;
  /** Default: where the key belongs. */
  readonly keyGroup?: number;
}

/** A table as a job declares it. */
export function tableOf(
  name: string,
  kind: StateTable['kind'],
  version = 1,
  order: 'key' | 'sub' = 'key',
): StateTable {
  return { id: tableId(name), name, kind, order, version, migrate: undefined };
}

/** Runs in memory, written by the code that writes them in a job. */
export class RunTestBed implements RunSource {
  readonly maxParallelism: number;
  readonly files = new Map<string, Uint8Array>();
  /** Bytes that were read of all runs. */
  readBytes = 0;

  constructor(maxParallelism = 4) {
    this.maxParallelism = maxParallelism;
  }

  /** Writes a run into a file of its own. */
  async write(
    file: string,
    entries: readonly EntryToWrite[],
    compression: 'zstd' | 'none' = 'none',
  ): Promise<RunReference> {
    const encoder = new ValueEncoder(new ShapeTable());
    const stream = new RecordStream();
    let sequence = 0;
    for (const { table, key, sub, expiresAtMs, rank = 0, keyGroup, ...entry } of entries) {
      const group = keyGroup ?? keyGroupOf(key, this.maxParallelism);
      sequence++;
      if (!('value' in entry)) stream.putTombstone(table, group, key, sub, sequence);
      else {
        const stored = {
          value: entry.value,
          expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY,
          rank,
        };
        stream.put(table, group, key, sub, sequence, stored, encoder);
      }
    }
    const tables = new Map(entries.map(({ table }) => [table.id, table]));
    const run = await buildRunJob.run({
      chunks: stream.takeChunks(),
      tables: [...tables.values()].map(({ id, name, kind, order }) => ({ id, name, kind, order })),
      shapes: [...stream.shapes].map(([keyGroup, shapes]) => ({
        keyGroup,
        shapes: [...shapes].map(shapeRecord),
      })),
      compression,
    });
    return this.keep(file, run);
  }

  /** Puts a run into a file, behind some bytes that are not of it. */
  keep(file: string, run: EncodedRun): RunReference {
    const before = Buffer.from('something else');
    this.files.set(file, Buffer.concat([before, ...run.chunks]));
    return referenceTo(file, before.length, run, false);
  }

  async read({ file, offset: start, length: all }: RunReference, offset: number, length: number) {
    const bytes = this.files.get(file) ?? new Uint8Array(0);
    this.readBytes += length;
    return bytes.subarray(start + offset, start + Math.min(offset + length, all));
  }
}
