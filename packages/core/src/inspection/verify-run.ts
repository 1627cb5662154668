import { ByteReader } from '../codec/byte-reader.ts';
import { endOfKey, isAbsentKey } from '../codec/key-codec.ts';
import { ShapeTable } from '../codec/shape-table.ts';
import { ValueDecoder } from '../codec/value-decoder.ts';
import { keyGroupOf } from '../element/key-group.ts';
import { bloomHash } from '../state/bloom-filter.ts';
import { BlockEntry, entryCount, openBlock } from '../state/run-block.ts';
import { checksum } from '../state/run-compression.ts';
import { corrupt, guarded } from '../state/run-damage.ts';
import * as format from '../state/run-format.ts';
import type { RunReference } from '../state/snapshot.ts';
import { CorruptRunError, UnknownRunVersionError } from '../state/state-errors.ts';
import { decodeAddress, decodeBody } from '../state/stored-body.ts';
import {
  type OpenRun,
  openRun,
  openSection,
  type OpenSection,
  readExactly,
  type RunSource,
} from './open-run.ts';
import { readBlocks } from './section-cursor.ts';

/** Something in a file that is not as it was written. */
export interface Damage {
  readonly file: string;
  /** In the file. */
  readonly offset: number;
  readonly reason: string;
}

/** How a verification is watched. */
export interface VerifyWatcher {
  onDamage(damage: Damage): void;
  /** So many more bytes have been read. */
  onProgress(bytes: number): void;
}

/**
 * Reads a run to its last byte and checks all that can be checked: checksums of header, footer,
 * directories, blocks and the whole; structure; order and key group of keys; that index, filter
 * and counts say what the blocks hold; that keys and values decode. Goes on after damage with what
 * can still be found: the other blocks and sections.
 *
 * @param maxParallelism of its operator: in which key group a key lives
 * @throws what the source throws, and UnknownRunVersionError
 *
 * Cost: every byte is read once. Memory: one directory and 1 MiB, or the largest block.
 */
export async function verifyRun(
  source: RunSource,
  reference: RunReference,
  maxParallelism: number,
  watcher: VerifyWatcher,
): Promise<void> {
  await new RunVerifier(source, reference, maxParallelism, watcher).verify();
}

class RunVerifier {
  readonly #source: RunSource;
  readonly #reference: RunReference;
  readonly #maxParallelism: number;
  readonly #watcher: VerifyWatcher;
  /** Of all bytes up to `#read`. */
  #crc = 0;
  #read = 0;
  #isIntact = true;

  constructor(
    source: RunSource,
    reference: RunReference,
    maxParallelism: number,
    watcher: VerifyWatcher,
  ) {
    this.#source = source;
    this.#reference = reference;
    this.#maxParallelism = maxParallelism;
    this.#watcher = watcher;
  }

  async verify(): Promise<void> {
    const run = await this.#tryTo(() => openRun(this.#source, this.#reference));
    if (run !== null) await this.#verifySections(run);
    // What was not read yet: the footer, or everything after the last section that could be read.
    await this.#tryTo(() => this.#readOn());
    const { crc32, offset } = this.#reference;
    if (this.#isIntact && this.#crc !== crc32)
      this.#report(offset, 'the checksum of the whole run');
  }

  async #verifySections(run: OpenRun): Promise<void> {
    const { entries, offset, length } = this.#reference;
    const { sections } = run.footer;
    const stored = sections.reduce((sum, section) => sum + section.entries, 0);
    if (stored !== entries || sections.length === 0) {
      this.#report(offset + length, 'the number of entries of the run');
    }
    await this.#tryTo(() => this.#take(0, format.HEADER_BYTES));
    for (const place of sections) {
      const section = await this.#tryTo(() => openSection(this.#source, run, place));
      if (section === null) continue; // without its directory nobody knows where its blocks are
      await this.#tryTo(() => this.#verifySection(section));
    }
  }

  async #verifySection(section: OpenSection): Promise<void> {
    const { file, offset } = this.#reference;
    const check = new SectionCheck(section, this.#maxParallelism);
    for await (const { index, start, bytes } of readBlocks(this.#source, section)) {
      this.#count(start, bytes);
      try {
        check.block(openBlock(bytes, file, offset + start), index, offset + start);
      } catch (error) {
        this.#reportError(error);
        check.skipBlock();
      }
    }
    const { start, length } = section.place;
    const directoryAt = start + length - section.bytes.length;
    this.#count(directoryAt, section.bytes);
    for (const reason of check.end()) this.#report(offset + directoryAt, reason);
  }

  /** Takes bytes that follow what was read before into the checksum of the whole. */
  #count(start: number, bytes: Uint8Array): void {
    if (start === this.#read) {
      this.#crc = checksum(bytes, this.#crc);
      this.#read += bytes.length;
    }
    this.#watcher.onProgress(bytes.length);
  }

  async #take(start: number, length: number): Promise<void> {
    this.#count(start, await readExactly(this.#source, this.#reference, start, length));
  }

  async #readOn(): Promise<void> {
    while (this.#read < this.#reference.length) {
      await this.#take(this.#read, Math.min(1 << 20, this.#reference.length - this.#read));
    }
  }

  async #tryTo<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.#reportError(error);
      return null;
    }
  }

  #reportError(error: unknown): void {
    if (error instanceof UnknownRunVersionError || !(error instanceof CorruptRunError)) throw error;
    this.#report(error.details.offset, error.details.reason);
  }

  #report(offset: number, reason: string): void {
    this.#isIntact = false;
    this.#watcher.onDamage({ file: this.#reference.file, offset, reason });
  }
}

/** Follows the entries of one section and compares them with what its directory says. */
class SectionCheck {
  readonly #section: OpenSection;
  readonly #maxParallelism: number;
  readonly #tables: ReadonlyMap<number, format.TableRecord>;
  readonly #decoder: ValueDecoder;
  readonly #maxRanks = new Map<number, number>();
  readonly #entry = new BlockEntry();
  #previous: Uint8Array | null = null;
  #entries = 0;
  #isWhole = true;
  #missing = 0;

  constructor(section: OpenSection, maxParallelism: number) {
    this.#section = section;
    this.#maxParallelism = maxParallelism;
    const { directory, place, run } = section;
    this.#tables = new Map(directory.tables.map((table) => [table.id, table]));
    const shapes = new ShapeTable();
    guarded(run.reference.file, run.reference.offset + place.start, () => {
      for (const shape of directory.shapes) shapes.add(shape);
    });
    this.#decoder = new ValueDecoder(shapes);
  }

  /** @param at where it begins in the file @throws CorruptRunError */
  block(block: Buffer, index: number, at: number): void {
    const { file } = this.#section.run.reference;
    const count = entryCount(block);
    const fail = (reason: string): never => corrupt(file, at, reason);
    for (let i = 0; i < count; i++) {
      if (!this.#entry.seek(block, count, i)) fail('the length of an entry');
      const { keyStart, keyEnd } = this.#entry;
      const key = block.subarray(keyStart, keyEnd);
      guarded(file, at, () => this.#check(block, key, fail));
      const isEdge = i === 0 || i === count - 1;
      if (isEdge && this.#section.directory.blockOf(key) !== index) {
        fail('an index that leads to another block');
      }
    }
  }

  /** One could not be read: what depends on all of them is not compared. */
  skipBlock(): void {
    this.#isWhole = false;
    this.#previous = null;
  }

  /** @returns what does not fit */
  end(): string[] {
    if (!this.#isWhole) return [];
    const { directory, place, run } = this.#section;
    const reasons: string[] = [];
    if (this.#entries !== place.entries || this.#entries !== directory.entries) {
      reasons.push('the number of entries of a section');
    }
    if (this.#missing > 0) reasons.push(`a filter that lacks ${this.#missing} keys`);
    for (const { id, name, maxRank } of directory.tables) {
      if (run.footer.version === 1 || this.#maxRanks.get(id) === maxRank) continue;
      reasons.push(`the largest rank of table "${name}"`);
    }
    return reasons;
  }

  #check(block: Buffer, key: Buffer, fail: (reason: string) => never): void {
    const { keyStart, keyEnd, bodyEnd, flags } = this.#entry;
    const previous = this.#previous;
    if (previous !== null && Buffer.compare(previous, key) >= 0) fail('keys out of order');
    this.#previous = key;
    this.#entries++;
    const table = this.#tables.get(block.readUInt32BE(keyStart));
    if (table === undefined) fail('an entry of an unknown table');
    if (format.tableId(table.name, table.generation) !== table.id) fail('the id of a table');
    const reader = new ByteReader(block, keyStart + 4, keyEnd);
    const address = decodeAddress(reader, table.order);
    if (reader.remaining > 0) fail('bytes after a key');
    if (keyGroupOf(address.key, this.#maxParallelism) !== this.#section.place.keyGroup) {
      fail('a key of another key group');
    }
    this.#checkFilter(block, table.order, keyStart, keyEnd);
    if ((flags & format.TOMBSTONE) !== 0) {
      if (bodyEnd > keyEnd) fail('a removed entry with a body');
      return;
    }
    const body = new ByteReader(block, keyEnd, bodyEnd);
    const { rank } = decodeBody(body, flags, this.#decoder);
    if (body.remaining > 0) fail('bytes after a value');
    if ((flags & format.RANKED) !== 0) {
      const known = this.#maxRanks.get(table.id);
      if (known === undefined || rank > known) this.#maxRanks.set(table.id, rank);
    }
  }

  #checkFilter(block: Buffer, order: 'key' | 'sub', keyStart: number, keyEnd: number): void {
    const { directory } = this.#section;
    if (!directory.mayContain(bloomHash(block, keyStart, keyEnd))) this.#missing++;
    if (!directory.filtersPrefixes || order !== 'key') return;
    const end = endOfKey(block, keyStart + 4, keyEnd);
    if (isAbsentKey(block, end, keyEnd)) return;
    if (!directory.mayContain(bloomHash(block, keyStart, end))) this.#missing++;
  }
}
