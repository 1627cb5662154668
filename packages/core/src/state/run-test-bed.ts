import { ByteWriter } from '../codec/byte-writer.ts';
import { StorageNotFoundError } from '../storage/storage-errors.ts';
import { bloomHash, buildBloomFilter } from './bloom-filter.ts';
import { checksum, compress } from './run-compression.ts';
import * as format from './run-format.ts';
import { referenceTo } from './run-reference.ts';
import type { EncodedRun, RunStore } from './run-store.ts';
import { type RunCompression, RunWriter } from './run-writer.ts';
import type { RunReference } from './snapshot.ts';

/** An entry as tests make them up: key and body are bytes. */
export interface TestEntry {
  readonly key: Buffer;
  readonly body: Buffer;
  readonly flags: number;
}

/** Entries by key group. */
export type TestRun = ReadonlyMap<number, readonly TestEntry[]>;

/** Writes entries, sorted here, in the current format. */
export function writeTestRun(
  run: TestRun,
  names: format.SectionNames,
  compression: RunCompression,
  blockBytes?: number,
): EncodedRun {
  const writer = new RunWriter(compression, blockBytes);
  for (const [keyGroup, entries] of sortedGroups(run)) {
    writer.beginSection(keyGroup, names);
    for (const { key, body, flags } of entries) {
      writer.add(Buffer.concat([key, body]), 0, key.length, key.length + body.length, flags);
    }
    writer.endSection();
  }
  return writer.finish()!;
}

/** The same in format version 1, which the engine only reads. */
export function writeFirstFormat(
  run: TestRun,
  names: format.SectionNames,
  compression: RunCompression,
  blockBytes = 300,
): EncodedRun {
  const out = new ByteWriter();
  out.u32(format.RUN_MAGIC);
  out.u32(1);
  out.u32(checksum(out.written()));
  const footer = new ByteWriter();
  const groups = sortedGroups(run);
  let count = 0;
  for (const [keyGroup, entries] of groups) {
    const start = out.position;
    out.raw(firstFormatSection(keyGroup, entries, names, compression, blockBytes));
    footer.u16(keyGroup);
    footer.f64(start);
    footer.u32(out.position - start);
    footer.u32(entries.length);
    count += entries.length;
  }
  footer.u32(groups.length);
  footer.u32(checksum(footer.written()));
  footer.u32(format.RUN_MAGIC);
  out.raw(footer.written());
  return {
    chunks: [out.copy()],
    length: out.position,
    crc32: checksum(out.written()),
    firstKeyGroup: groups[0]![0],
    lastKeyGroup: groups.at(-1)![0],
    entries: count,
  };
}

function firstFormatSection(
  keyGroup: number,
  entries: readonly TestEntry[],
  names: format.SectionNames,
  compression: RunCompression,
  blockBytes: number,
): Uint8Array {
  const out = new ByteWriter();
  const index = new ByteWriter();
  let blocks = 0;
  for (let at = 0; at < entries.length; blocks++) {
    const raw = new ByteWriter();
    const offsets: number[] = [];
    const first = entries[at]!.key;
    for (; at < entries.length && raw.position < blockBytes; at++) {
      const { key, body, flags } = entries[at]!;
      offsets.push(raw.position);
      raw.u32(key.length);
      raw.u32((body.length + flags) >>> 0);
      raw.raw(key);
      raw.raw(body);
    }
    for (const offset of offsets) raw.u32(offset);
    raw.u32(offsets.length);
    const plain = { codec: format.CODEC_NONE, payload: raw.written() };
    const { codec, payload } = compression === 'zstd' ? compress(raw.written()) : plain;
    const start = out.position;
    out.u32(payload.length);
    out.u32(raw.position);
    out.u8(codec);
    out.u32(checksum(payload, checksum(out.written().subarray(start))));
    out.raw(payload);
    index.u32(start);
    index.u32(out.position - start);
    index.u32(first.length);
    index.raw(first);
  }
  const metaStart = out.position;
  out.u32(names.tables.length);
  for (const { id, name, kind, order } of names.tables) {
    out.u32(id);
    const text = Buffer.from(JSON.stringify({ name, kind, order }));
    out.u32(text.length);
    out.raw(text);
  }
  out.u32(0);
  out.raw(index.written());
  out.u32(entries.at(-1)!.key.length);
  out.raw(entries.at(-1)!.key);
  out.raw(buildBloomFilter(entries.map(({ key }) => bloomHash(key, 0, key.length))));
  const metaLength = out.position - metaStart;
  out.u16(keyGroup);
  out.u16(1);
  out.u32(entries.length);
  out.u32(blocks);
  out.u32(metaLength);
  out.u32(out.position + 12);
  out.u32(checksum(out.written().subarray(metaStart)));
  out.u32(format.RUN_MAGIC);
  return out.copy();
}

function sortedGroups(run: TestRun): [number, TestEntry[]][] {
  return [...run]
    .filter(([, entries]) => entries.length > 0)
    .sort(([a], [b]) => a - b)
    .map(([group, entries]) => [group, [...entries].sort((a, b) => a.key.compare(b.key))]);
}

/** Keeps runs in memory, each behind other bytes; counts, and says what is not there any more. */
export class RunShelf implements RunStore {
  readonly objects = new Map<string, Uint8Array>();
  readonly reads: { readonly offset: number; readonly length: number }[] = [];
  /** Reads at the same time. */
  pendingMax = 0;
  #pending = 0;
  #files = 0;

  put(run: EncodedRun): RunReference {
    const offset = (this.#files * 7) % 40;
    const file = `shared/${this.#files++}.run`;
    this.objects.set(file, Buffer.concat([Buffer.alloc(offset, 0x55), ...run.chunks]));
    return referenceTo(file, offset, run, false);
  }

  async write(run: EncodedRun): Promise<RunReference> {
    return this.put(run);
  }

  async read(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    this.pendingMax = Math.max(this.pendingMax, ++this.#pending);
    await null;
    this.#pending--;
    return this.readNow(reference, offset, length);
  }

  readNow(reference: RunReference, offset: number, length: number): Uint8Array {
    const bytes = this.objects.get(reference.file);
    if (bytes === undefined) {
      throw new StorageNotFoundError(`no run ${reference.file}`, {
        location: 'shelf',
        operation: 'getRange',
        name: reference.file,
      });
    }
    this.reads.push({ offset, length });
    const at = reference.offset + offset;
    return new Uint8Array(bytes.subarray(at, at + length));
  }
}
