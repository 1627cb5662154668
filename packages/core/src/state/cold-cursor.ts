import { FileSystemError } from '../base/file-system.ts';
import { StorageNotFoundError } from '../storage/storage-errors.ts';
import type { ColdCursor, ColdEntry } from './cold-state.ts';
import { FoundEntry, type SectionWalk } from './cold-walk.ts';
import { compareBytes, TOMBSTONE } from './run-format.ts';

/** Walks over nothing. */
export const EMPTY_CURSOR: ColdCursor = { next: () => null };

/**
 * Merges walks over sections of one key group, newest first: of equal keys the newest counts;
 * tombstones are not shown.
 */
export class MergedCursor implements ColdCursor {
  readonly #open: (from: Uint8Array) => SectionWalk[];
  readonly #version: () => number;
  readonly #from: Uint8Array;
  readonly #entry = new FoundEntry();
  #walks: SectionWalk[];
  #openedAt: number;
  /** The key given last, a view of its block. */
  #last: Uint8Array | null = null;

  /**
   * @param walks what `open` has given for `from`
   * @param open begins walks from a key on, with the runs that are live at that time
   * @param version of the list of live runs
   */
  constructor(
    from: Uint8Array,
    walks: SectionWalk[],
    open: (from: Uint8Array) => SectionWalk[],
    version: () => number,
  ) {
    this.#from = from;
    this.#open = open;
    this.#version = version;
    this.#openedAt = version();
    this.#walks = walks;
  }

  next(): ColdEntry | null {
    for (;;) {
      try {
        if (this.#last !== null) this.#pass(this.#last);
        return this.#settle();
      } catch (error) {
        // A run that was merged away and deleted: its entries stand in another one now.
        const version = this.#version();
        if (!isGone(error) || version === this.#openedAt) throw error;
        this.#openedAt = version;
        this.#walks = this.#open(this.#last ?? this.#from);
      }
    }
  }

  /** Steps over a key wherever it stands. */
  #pass(key: Uint8Array): void {
    for (const walk of this.#walks) {
      if (walk.done) continue;
      const { block, keyStart, keyEnd } = walk;
      if (compareBytes(block, keyStart, keyEnd, key, 0, key.length) === 0) walk.next();
    }
  }

  #settle(): ColdEntry | null {
    for (;;) {
      let least: SectionWalk | null = null;
      for (const walk of this.#walks) {
        if (!walk.done && (least === null || compareWalks(walk, least) < 0)) least = walk;
      }
      if (least === null) return null;
      this.#last = least.block.subarray(least.keyStart, least.keyEnd);
      if ((least.flags & TOMBSTONE) === 0) {
        return this.#entry.set(least.section, least.block, least, least.blockStart);
      }
      this.#pass(this.#last);
    }
  }
}

/** Whether a read failed because the object is not there any more. */
export function isGone(error: unknown): boolean {
  if (error instanceof StorageNotFoundError) return true;
  return error instanceof FileSystemError && error.details.kind === 'not-found';
}

function compareWalks(a: SectionWalk, b: SectionWalk): number {
  return compareBytes(a.block, a.keyStart, a.keyEnd, b.block, b.keyStart, b.keyEnd);
}
