import { ShapeTable } from '../codec/shape-table.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import type { BlockCache } from './block-cache.ts';
import { bloomHash } from './bloom-filter.ts';
import { EMPTY_CURSOR, MergedCursor } from './cold-cursor.ts';
import { holds, mayContainPrefix, prefixHashes } from './cold-lookup.ts';
import { ColdPrefetch } from './cold-prefetch.ts';
import { ColdFigures, ColdReader } from './cold-reader.ts';
import { ColdRun } from './cold-run.ts';
import type { ColdSection, Residence } from './cold-section.ts';
import {
  type ColdAddress,
  type ColdCursor,
  type ColdEntry,
  type ColdState,
  keyAfter,
} from './cold-state.ts';
import { FoundEntry, SectionWalk } from './cold-walk.ts';
import { cutReferences } from './cut-references.ts';
import type { LiveRuns } from './live-runs.ts';
import { BlockEntry } from './run-block.ts';
import { EXPIRES, RANKED, TOMBSTONE, type TableRecord } from './run-format.ts';
import type { RunStore } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/** What a cold state is opened with. */
export interface ColdStateOptions {
  readonly runStore: RunStore;
  /** Followed: what is added is seen, what is replaced is given up, with the next call. */
  readonly live: LiveRuns;
  readonly keyGroupRange: KeyGroupRange;
  /** Shared by all operators of a thread. */
  readonly cache: BlockCache;
  /** Counts what is read; may be shared too. */
  readonly figures?: ColdFigures;
  /** Default a new one. */
  readonly shapes?: ShapeTable;
}

/** Opens what the live runs of a store hold. Reads nothing yet. */
export function openColdState(options: ColdStateOptions): ColdState {
  return new LazyColdState(options);
}

const NOTHING_YET = -1;

class LazyColdState implements ColdState {
  readonly shapes: ShapeTable;
  readonly #live: LiveRuns;
  readonly #range: KeyGroupRange;
  readonly #cache: BlockCache;
  readonly #reader: ColdReader;
  readonly #prefetch: ColdPrefetch;
  readonly #residence: Residence = { bytes: 0 };
  #version = NOTHING_YET;
  /** Newest first. */
  #runs: ColdRun[] = [];
  #byReference = new Map<RunReference, ColdRun>();
  readonly #at = new BlockEntry();
  readonly #found = new FoundEntry();

  constructor(options: ColdStateOptions) {
    const { runStore, live, keyGroupRange, cache } = options;
    this.shapes = options.shapes ?? new ShapeTable();
    this.#live = live;
    this.#range = keyGroupRange;
    this.#cache = cache;
    const figures = options.figures ?? new ColdFigures();
    this.#reader = new ColdReader(runStore, cache, figures, this.shapes);
    this.#prefetch = new ColdPrefetch({
      reader: this.#reader,
      runs: () => this.#follow(),
      version: () => live.version,
      sectionOf: (run, keyGroup) => run.sections[keyGroup - keyGroupRange.first] ?? null,
    });
  }

  get isEmpty(): boolean {
    return this.#live.newestFirst.length === 0;
  }

  get residentBytes(): number {
    return this.#residence.bytes;
  }

  get entryBound(): number {
    return this.#follow().reduce((sum, run) => sum + run.entries, 0);
  }

  tables(): readonly TableRecord[] {
    const tables = new Map<number, TableRecord>();
    for (const run of this.#follow()) {
      this.#open(run);
      for (const table of run.tables ?? this.#tablesOfSections(run)) {
        const known = tables.get(table.id);
        const maxRank = Math.max(known?.maxRank ?? -1, table.maxRank ?? -1);
        tables.set(table.id, { ...(known ?? table), ...(maxRank < 0 ? {} : { maxRank }) });
      }
    }
    return [...tables.values()];
  }

  find(keyGroup: number, key: Uint8Array): ColdEntry | null {
    const runs = this.#follow();
    const hash = bloomHash(key, 0, key.length);
    for (let i = 0; i < runs.length; i++) {
      const section = this.#sectionOf(runs[i]!, keyGroup);
      if (section === null) continue;
      const directory = this.#reader.directory(section);
      if (!directory.mayContain(hash)) {
        this.#reader.figures.filtered++;
        continue;
      }
      const index = directory.blockOf(key);
      if (index >= 0) {
        const block = this.#reader.block(section, directory, index);
        if (holds(block, key, this.#at, section)) {
          if ((this.#at.flags & TOMBSTONE) !== 0) return null;
          return this.#found.set(section, block, this.#at, directory.blockStart(index));
        }
      }
      this.#reader.figures.falsePositives++;
    }
    return null;
  }

  scan(keyGroup: number, prefix: Uint8Array): ColdCursor {
    const to = keyAfter(prefix);
    const hashes = prefixHashes(prefix);
    return this.#cursor(prefix, (from) => {
      return this.#walks(keyGroup, from, to, (section) => {
        const directory = this.#reader.directory(section);
        if (mayContainPrefix(directory, hashes)) return true;
        this.#reader.figures.filtered++;
        return false;
      });
    });
  }

  range(keyGroup: number, from: Uint8Array, to: Uint8Array | null): ColdCursor {
    const end = to === null ? null : new Uint8Array(to); // the caller's array is the caller's
    return this.#cursor(from, (start) => this.#walks(keyGroup, start, end, () => true));
  }

  prefetch(wanted: readonly ColdAddress[]): Promise<void> | null {
    return this.#prefetch.start(wanted);
  }

  release(): void {
    this.#prefetch.release();
  }

  close(): void {
    this.#prefetch.close();
    for (const run of this.#runs) run.close();
    this.#runs = [];
    this.#byReference = new Map();
    this.#version = this.#live.version;
  }

  #cursor(from: Uint8Array, open: (from: Uint8Array) => SectionWalk[]): ColdCursor {
    const walks = open(from);
    if (walks.every(({ done }) => done)) return EMPTY_CURSOR;
    return new MergedCursor(new Uint8Array(from), walks, open, () => this.#live.version);
  }

  #walks(
    keyGroup: number,
    from: Uint8Array,
    to: Uint8Array | null,
    accepts: (section: ColdSection) => boolean,
  ): SectionWalk[] {
    const walks: SectionWalk[] = [];
    for (const run of this.#follow()) {
      const section = this.#sectionOf(run, keyGroup);
      if (section === null || !accepts(section)) continue;
      const walk = new SectionWalk(this.#reader, section, from, to);
      if (!walk.done) walks.push(walk);
    }
    return walks;
  }

  #sectionOf(run: ColdRun, keyGroup: number): ColdSection | null {
    if (!run.isOpen) this.#open(run);
    return run.sections[keyGroup - this.#range.first] ?? null;
  }

  #open(run: ColdRun): void {
    if (!run.isOpen) this.#reader.openRun(run);
  }

  /** The runs as they are now, newest first. */
  #follow(): ColdRun[] {
    if (this.#version === this.#live.version) return this.#runs;
    this.#version = this.#live.version;
    const known = this.#byReference;
    this.#byReference = new Map();
    this.#runs = [];
    for (const reference of this.#live.newestFirst) {
      const run = known.get(reference) ?? this.#runOf(reference);
      known.delete(reference);
      if (run === null) continue;
      this.#byReference.set(reference, run);
      this.#runs.push(run);
    }
    for (const run of known.values()) run.close();
    return this.#runs;
  }

  #runOf(reference: RunReference): ColdRun | null {
    const [cut] = cutReferences([reference], this.#range);
    if (cut === undefined) return null;
    return new ColdRun(cut, this.#range, this.#cache, this.#residence);
  }

  // Runs of format 1 do not say it at their end.
  #tablesOfSections(run: ColdRun): readonly TableRecord[] {
    const tables = new Map<number, TableRecord>();
    const ranks = new Map<number, number>();
    for (const section of run.sections) {
      if (section === null) continue;
      for (const table of this.#reader.directory(section).tables) tables.set(table.id, table);
      const walk = new SectionWalk(this.#reader, section, new Uint8Array(0), null);
      for (; !walk.done; walk.next()) {
        if ((walk.flags & RANKED) === 0) continue;
        const id = walk.block.readUInt32BE(walk.keyStart);
        const at = walk.keyEnd + ((walk.flags & EXPIRES) === 0 ? 0 : 8);
        ranks.set(id, Math.max(ranks.get(id) ?? 0, walk.block.readDoubleLE(at)));
      }
    }
    run.tables = [...tables.values()].map((table) => {
      const maxRank = ranks.get(table.id);
      return maxRank === undefined ? table : { ...table, maxRank };
    });
    return run.tables;
  }
}
