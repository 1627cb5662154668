import { BlockEntry, entryCount } from './run-block.ts';
import { corrupt } from './run-damage.ts';
import { compareBytes, EXPIRES, TOMBSTONE } from './run-format.ts';
import type { RunSection } from './run-section.ts';

/** Walks the entries of a section in order; the fields describe the entry it stands on. */
export class RunCursor extends BlockEntry {
  readonly section: RunSection;
  done = false;
  block: Buffer = Buffer.alloc(0);
  #nextBlock = 0;
  #entry = 0;
  #count = 0;
  #seen = 0;

  /** Stands on the first entry. @throws CorruptRunError, as does `next` */
  constructor(section: RunSection) {
    super();
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
      if (this.#nextBlock >= this.section.blockCount) {
        if (this.#seen !== this.section.entries) this.#fail('the number of entries');
        this.done = true;
        return;
      }
      this.block = this.section.block(this.#nextBlock++);
      this.#entry = 0;
      this.#count = entryCount(this.block);
    }
    if (!this.seek(this.block, this.#count, this.#entry++)) this.#fail('the place of an entry');
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
    const at = this.section.directory.blockStart(this.#nextBlock - 1);
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
