import type { BackgroundJob } from '../base/environment.ts';
import type { ShapeRecord } from '../codec/shape-table.ts';
import { RECORD_HEADER_BYTES } from './record-stream.ts';
import { compareBytes, LENGTH_MASK, type TableRecord } from './run-format.ts';
import type { EncodedRun } from './run-store.ts';
import { type RunCompression, RunWriter } from './run-writer.ts';

/** Input of `buildRunJob`; plain data. */
export interface BuildRunInput {
  /** Records of record-stream.ts; each chunk has an ArrayBuffer of its own. */
  readonly chunks: readonly Uint8Array[];
  readonly tables: readonly TableRecord[];
  readonly shapes: readonly { readonly keyGroup: number; readonly shapes: ShapeRecord[] }[];
  readonly compression: RunCompression;
}

/** Sorts records, keeps the newest of each key, and lays out the run. Cost: O(n log n). */
export const buildRunJob: BackgroundJob<BuildRunInput, EncodedRun> = {
  name: 'build-run',
  module: import.meta.url,
  exportName: 'buildRunJob',
  run: buildRun,
  transferInput: (input) => input.chunks.map((chunk) => chunk.buffer as ArrayBuffer),
  transferOutput: (output) => output.chunks.map((chunk) => chunk.buffer as ArrayBuffer),
};

function buildRun(input: BuildRunInput): EncodedRun {
  const source = Buffer.concat(input.chunks);
  const shapes = new Map(input.shapes.map((entry) => [entry.keyGroup, entry.shapes]));
  const writer = new RunWriter(input.compression);
  for (const [keyGroup, records] of bucketByKeyGroup(source)) {
    writer.beginSection(keyGroup, { tables: input.tables, shapes: shapes.get(keyGroup) ?? [] });
    let previous = -1;
    for (const at of sortRecords(source, records)) {
      if (previous >= 0 && compareRecords(source, previous, at) === 0) continue; // superseded
      previous = at;
      const keyStart = at + RECORD_HEADER_BYTES;
      const keyEnd = keyStart + source.readUInt32LE(at + 10);
      const length = source.readUInt32LE(at + 14);
      const flags = (length & ~LENGTH_MASK) >>> 0;
      writer.add(source, keyStart, keyEnd, keyEnd + (length & LENGTH_MASK), flags);
    }
    writer.endSection();
  }
  const run = writer.finish();
  if (run === null) throw new RangeError('a run without records');
  return run;
}

function bucketByKeyGroup(source: Buffer): [number, number[]][] {
  const buckets = new Map<number, number[]>();
  for (let at = 0; at < source.length; ) {
    const keyGroup = source.readUInt16LE(at);
    const bucket = buckets.get(keyGroup);
    if (bucket === undefined) buckets.set(keyGroup, [at]);
    else bucket.push(at);
    const bodyLength = source.readUInt32LE(at + 14) & LENGTH_MASK;
    at += RECORD_HEADER_BYTES + source.readUInt32LE(at + 10) + bodyLength;
  }
  return [...buckets].sort(([a], [b]) => a - b);
}

/**
 * By key, the newest of equal keys first. Most comparisons need no bytes: behind the prefix that
 * all keys of the bucket share, six bytes are compared as one number.
 */
function sortRecords(source: Buffer, records: readonly number[]): Iterable<number> {
  const shared = sharedPrefix(source, records);
  const prefixes = new Float64Array(records.length);
  const order = new Uint32Array(records.length);
  for (let i = 0; i < records.length; i++) {
    const start = records[i]! + RECORD_HEADER_BYTES;
    const end = start + source.readUInt32LE(records[i]! + 10);
    let prefix = 0;
    for (let at = start + shared; at < start + shared + 6; at++) {
      prefix = prefix * 256 + (at < end ? source[at]! : 0);
    }
    prefixes[i] = prefix;
    order[i] = i;
  }
  order.sort((x, y) => {
    const a = records[x]!;
    const b = records[y]!;
    return (
      prefixes[x]! - prefixes[y]! ||
      compareRecords(source, a, b) ||
      source.readDoubleLE(b + 2) - source.readDoubleLE(a + 2)
    );
  });
  return Array.from(order, (i) => records[i]!);
}

function sharedPrefix(source: Buffer, records: readonly number[]): number {
  const first = records[0]! + RECORD_HEADER_BYTES;
  let shared = source.readUInt32LE(records[0]! + 10);
  for (const at of records) {
    const start = at + RECORD_HEADER_BYTES;
    const limit = Math.min(shared, source.readUInt32LE(at + 10));
    let same = 0;
    while (same < limit && source[start + same] === source[first + same]) same++;
    shared = same;
  }
  return shared;
}

function compareRecords(source: Buffer, a: number, b: number): number {
  const aStart = a + RECORD_HEADER_BYTES;
  const bStart = b + RECORD_HEADER_BYTES;
  const aEnd = aStart + source.readUInt32LE(a + 10);
  const bEnd = bStart + source.readUInt32LE(b + 10);
  return compareBytes(source, aStart, aEnd, source, bStart, bEnd);
}
