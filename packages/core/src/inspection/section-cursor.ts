import { BlockEntry, entryCount, openBlock } from '../state/run-block.ts';
import { corrupt } from '../state/run-damage.ts';
import { compareBytes } from '../state/run-format.ts';
import type { SectionDirectory } from '../state/section-directory.ts';
import { type OpenSection, readExactly, type RunSource } from './open-run.ts';

/** Blocks are read so many bytes at a time, or one block if that is larger. */
const PIECE_BYTES = 1 << 20;

/** A block as it is stored, its header included. */
export interface StoredBlock {
  readonly index: number;
  /** Where it begins, relative to the run. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads the blocks of a section one after the other, many with one call.
 *
 * @param first, end of the blocks wanted; `end` is not
 *
 * Memory: one piece of 1 MiB, or one block.
 */
export async function* readBlocks(
  source: RunSource,
  { run, place, directory }: OpenSection,
  first = 0,
  end = directory.blockCount,
): AsyncGenerator<StoredBlock, void, undefined> {
  const endOf = (block: number): number =>
    directory.blockStart(block) + directory.blockLength(block);
  for (let at = first; at < end; ) {
    const from = directory.blockStart(at);
    let next = at + 1;
    while (next < end && endOf(next) - from <= PIECE_BYTES) next++;
    const length = endOf(next - 1) - from;
    const piece = await readExactly(source, run.reference, place.start + from, length);
    for (; at < next; at++) {
      const bytes = piece.subarray(directory.blockStart(at) - from, endOf(at) - from);
      yield { index: at, start: place.start + directory.blockStart(at), bytes };
    }
  }
}

/**
 * Walks the entries of a section whose keys are in a range. Between `step`s that return true
 * nothing is awaited.
 */
export class SectionCursor {
  /** For messages. */
  readonly file: string;
  block: Buffer = Buffer.alloc(0);
  /** Where the block begins in the file. */
  blockOffset = 0;
  readonly entry = new BlockEntry();
  readonly #fileOffset: number;
  readonly #blocks: AsyncGenerator<StoredBlock, void, undefined>;
  #next = 0;
  #count = 0;

  /** Stands before the first entry. @param to null = no bound */
  constructor(source: RunSource, section: OpenSection, from: Uint8Array, to: Uint8Array | null) {
    const { reference } = section.run;
    this.file = reference.file;
    this.#fileOffset = reference.offset;
    const { first, end } = blocksBetween(section.directory, from, to);
    this.#blocks = readBlocks(source, section, first, end);
  }

  /** Goes to the next entry of the block that is loaded; false: there is none, `load` the next. */
  step(): boolean {
    if (this.#next >= this.#count) return false;
    if (!this.entry.seek(this.block, this.#count, this.#next++)) {
      corrupt(this.file, this.blockOffset, 'the length of an entry');
    }
    return true;
  }

  /** Loads the next block and goes to its first entry; false: the section has no more. */
  async load(): Promise<boolean> {
    const { done, value } = await this.#blocks.next();
    if (done === true) return false;
    this.blockOffset = this.#fileOffset + value.start;
    this.block = openBlock(value.bytes, this.file, this.blockOffset);
    this.#count = entryCount(this.block);
    this.#next = 0;
    return this.step();
  }
}

/**
 * Merges sections of one key group.
 *
 * @param cursors newest first, each before its first entry
 * @returns the cursor that stands on the newest entry of a key, tombstones too, in ascending order
 *   of key; to be looked at before the next one is asked for
 *
 * Cost: O(cursors) per entry.
 */
export async function* mergeCursors(
  cursors: readonly SectionCursor[],
  from: Uint8Array,
  to: Uint8Array | null,
): AsyncGenerator<SectionCursor, void, undefined> {
  const live: SectionCursor[] = [];
  for (const cursor of cursors) {
    let there = await cursor.load();
    while (there && compareTo(cursor, from) < 0) there = cursor.step() || (await cursor.load());
    if (there) live.push(cursor);
  }
  while (live.length > 0) {
    let least = live[0]!;
    for (let i = 1; i < live.length; i++) {
      if (compareCursors(live[i]!, least) < 0) least = live[i]!;
    }
    if (to !== null && compareTo(least, to) >= 0) return;
    yield least;
    for (let i = live.length - 1; i >= 0; i--) {
      const cursor = live[i]!;
      if (cursor === least || compareCursors(cursor, least) !== 0) continue;
      if (!cursor.step() && !(await cursor.load())) live.splice(i, 1);
    }
    if (!least.step() && !(await least.load())) live.splice(live.indexOf(least), 1);
  }
}

/** The blocks that may hold keys from `from` up to `to`, which is not among them. */
function blocksBetween(
  directory: SectionDirectory,
  from: Uint8Array,
  to: Uint8Array | null,
): { readonly first: number; readonly end: number } {
  const first = directory.blockOf(from);
  if (first < 0) return { first: 0, end: 0 };
  let end = first;
  while (end < directory.blockCount && (to === null || !directory.startsAtOrAfter(end, to))) end++;
  return { first, end };
}

function compareTo({ block, entry }: SectionCursor, key: Uint8Array): number {
  return compareBytes(block, entry.keyStart, entry.keyEnd, key, 0, key.length);
}

function compareCursors(a: SectionCursor, b: SectionCursor): number {
  return compareBytes(
    a.block,
    a.entry.keyStart,
    a.entry.keyEnd,
    b.block,
    b.entry.keyStart,
    b.entry.keyEnd,
  );
}
