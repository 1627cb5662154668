import { compareBytes, EXPIRES, LENGTH_MASK, TOMBSTONE } from './run-format.ts';
import { corrupt, type RunSection } from './run-section.ts';

/** Walks the entries of a section in order; the fields describe the entry it stands on. */
export class RunCursor {
  readonly section: RunSection;
  done = false;
  block: Buffer = Buffer.alloc(0);
  keyStart = 0;
  keyEnd = 0;
  bodyEnd = 0;
  flags = 0;
  #nextBlock = 0;
  #entry = 0;
  #count = 0;
  #seen = 0;

  /** Stands on the first entry. @throws CorruptRunError, as does `next` */
  constructor(section: RunSection) {
    this.section = section;
    this.next();
  }

  /** The body follows the key. */
  get bodyStart(): number {
    return this.keyEnd;
  }

  /** Steps to the next entry, or sets `done`. */
  next(): void {
    while (this.#entry >= this.#count) {
      if (this.#nextBlock >= this.section.blocks.length) {
        if (this.#seen !== this.section.entries) this.#fail('the number of entries');
        this.done = true;
        return;
      }
      this.block = this.section.block(this.#nextBlock++);
      this.#entry = 0;
      this.#count = this.block.length >= 4 ? this.block.readUInt32LE(this.block.length - 4) : 0;
      if (this.#count * 12 + 4 > this.block.length) this.#fail('the number of entries of a block');
    }
    const { block } = this;
    const offsets = block.length - 4 - 4 * this.#count;
    const at = block.readUInt32LE(offsets + 4 * this.#entry++);
    if (at + 8 > offsets) this.#fail('the offset of an entry');
    const length = block.readUInt32LE(at + 4);
    this.flags = (length & ~LENGTH_MASK) >>> 0;
    this.keyStart = at + 8;
    this.keyEnd = this.keyStart + block.readUInt32LE(at);
    this.bodyEnd = this.keyEnd + (length & LENGTH_MASK);
    if (this.keyEnd - this.keyStart < 4 || this.bodyEnd > offsets)
      this.#fail('the length of an entry');
    this.#seen++;
  }

  get isTombstone(): boolean {
    return (this.flags & TOMBSTONE) !== 0;
  }

  /** Infinity if the entry never expires. */
  get expiresAtMs(): number {
    if ((this.flags & EXPIRES) === 0) return Number.POSITIVE_INFINITY;
    return this.block.readDoubleLE(this.keyEnd);
  }

  #fail(reason: string): never {
    const { file, offset } = this.section.source;
    const at = this.section.blocks[this.#nextBlock - 1]?.offset ?? 0;
    return corrupt(file, offset + at, reason);
  }
}

/**
 * Merges sections of one key group, newest first: of equal keys the newest entry is given, also if
 * it is a tombstone. Cost: O(entries * sections).
 */
export function mergeSections(
  sections: readonly RunSection[],
  accept: (cursor: RunCursor) => void,
): void {
  const cursors = sections.map((section) => new RunCursor(section));
  for (;;) {
    let least: RunCursor | null = null;
    for (const cursor of cursors) {
      if (!cursor.done && (least === null || compareKeys(cursor, least) < 0)) least = cursor;
    }
    if (least === null) return;
    accept(least);
    for (const cursor of cursors) {
      if (cursor !== least && !cursor.done && compareKeys(cursor, least) === 0) cursor.next();
    }
    least.next();
  }
}

function compareKeys(a: RunCursor, b: RunCursor): number {
  return compareBytes(a.block, a.keyStart, a.keyEnd, b.block, b.keyStart, b.keyEnd);
}
