import { bloomHash } from './bloom-filter.ts';
import { isGone } from './cold-cursor.ts';
import { holds, mayContainPrefix, prefixHashes } from './cold-lookup.ts';
import { type ColdReader, directoryLengthOf } from './cold-reader.ts';
import type { ColdRun } from './cold-run.ts';
import type { ColdSection } from './cold-section.ts';
import { type ColdAddress, keyAfter } from './cold-state.ts';
import { readPieces, type RunPiece } from './read-pieces.ts';
import { BlockEntry, bufferOf } from './run-block.ts';
import { FOOTER_GUESS_BYTES, footerLength, isKnownFooter } from './run-footer.ts';
import type { SectionDirectory } from './section-directory.ts';

/** Footer, directory, block, and a few blocks that a filter let through in vain. */
const ROUNDS_MAX = 16;
/** Read of a directory whose length is not known. */
const DIRECTORY_GUESS_BYTES = 16_384;

/** What one prefetch keeps in the cache: blocks by section, each once. */
type Pins = Map<ColdSection, Set<number>>;

/** What a prefetch needs of its cold state. */
export interface PrefetchSource {
  readonly reader: ColdReader;
  /** The runs as they are now, newest first. */
  readonly runs: () => readonly ColdRun[];
  readonly version: () => number;
  readonly sectionOf: (run: ColdRun, keyGroup: number) => ColdSection | null;
}

/**
 * Brings into the cache what look-ups will need, beside other turns.
 *
 *   plan --nothing missing--> held --release--> dropped when room is needed
 *    ^  |
 *    |  +--missing--> read in parallel, sorted by place --+
 *    +----------------------------------------------------+
 *
 * A plan says what the next step of each look-up lacks: a footer, a directory, or the block of the
 * newest run that may hold the key. So most take three rounds at first, and one later.
 *
 * P1. What was planned and found is pinned, so that rounds do not undo each other.
 * P2. A run that vanished because it was merged away is not missed: the next plan does without it.
 */
export class ColdPrefetch {
  readonly #source: PrefetchSource;
  readonly #at = new BlockEntry();
  /** Of prefetches that are done. */
  #held: Pins[] = [];
  #isClosed = false;

  constructor(source: PrefetchSource) {
    this.#source = source;
  }

  /** See `ColdState.prefetch`. */
  start(wanted: readonly ColdAddress[]): Promise<void> | null {
    const pins: Pins = new Map();
    const missing = this.#plan(wanted, pins);
    if (missing.length > 0) return this.#fill(wanted, missing, pins);
    this.#held.push(pins);
    return null;
  }

  release(): void {
    for (const pins of this.#held) unpin(pins);
    this.#held = [];
  }

  close(): void {
    this.#isClosed = true;
    this.release();
  }

  async #fill(wanted: readonly ColdAddress[], first: RunPiece[], pins: Pins): Promise<void> {
    let missing = first;
    try {
      for (let round = 0; missing.length > 0 && round < ROUNDS_MAX; round++) {
        const version = this.#source.version();
        try {
          await readPieces(this.#source.reader, missing);
        } catch (error) {
          if (!isGone(error) || version === this.#source.version()) throw error; // P2
        }
        if (this.#isClosed) return;
        missing = this.#plan(wanted, pins);
      }
    } catch (error) {
      unpin(pins);
      throw error;
    }
    this.#held.push(pins);
  }

  #plan(wanted: readonly ColdAddress[], pins: Pins): RunPiece[] {
    const plan = new Plan(this.#source, pins);
    for (const address of wanted) {
      if (plan.isFull) break;
      if (address.isPrefix) this.#planPrefix(plan, address);
      else this.#planKey(plan, address);
    }
    return plan.pieces;
  }

  #planKey(plan: Plan, { keyGroup, key }: ColdAddress): void {
    const hash = bloomHash(key, 0, key.length);
    for (const { section, directory } of plan.directories(keyGroup)) {
      if (!directory.mayContain(hash)) continue;
      const index = directory.blockOf(key);
      if (index < 0) continue;
      const block = plan.block(section, directory, index);
      // Probably it holds the key; if not, the next plan goes on behind it.
      if (block === undefined || holds(block, key, this.#at, section)) return;
    }
  }

  #planPrefix(plan: Plan, { keyGroup, key }: ColdAddress): void {
    const hashes = prefixHashes(key);
    const to = keyAfter(key);
    for (const { section, directory } of plan.directories(keyGroup)) {
      if (!mayContainPrefix(directory, hashes)) continue;
      let index = directory.blockOf(key);
      if (index < 0) continue;
      for (; index < directory.blockCount && !plan.isFull; index++) {
        if (to !== null && directory.startsAtOrAfter(index, to)) break;
        plan.block(section, directory, index);
      }
    }
  }
}

function unpin(pins: Pins): void {
  for (const [section, indexes] of pins) {
    for (const index of indexes) section.unpin(index);
  }
}

/** What is missing, each thing once; what is there is pinned. */
class Plan {
  readonly pieces: RunPiece[] = [];
  /** What it pins and will read has reached half of the cache. */
  isFull = false;
  readonly #source: PrefetchSource;
  readonly #pins: Pins;
  readonly #runs: readonly ColdRun[];
  readonly #asked = new Map<ColdRun | ColdSection, Set<number>>();
  #bytesLeft: number;

  constructor(source: PrefetchSource, pins: Pins) {
    this.#source = source;
    this.#pins = pins;
    this.#runs = source.runs();
    this.#bytesLeft = source.reader.cache.budgetBytes / 2;
  }

  /** Of all runs, newest first; empty if one of them is missing. */
  directories(keyGroup: number): { section: ColdSection; directory: SectionDirectory }[] {
    const found: { section: ColdSection; directory: SectionDirectory }[] = [];
    let isMissing = false;
    for (const run of this.#runs) {
      if (!run.isOpen) {
        isMissing = true;
        this.#askRun(run);
        continue;
      }
      const section = this.#source.sectionOf(run, keyGroup);
      if (section === null) continue;
      const { directory } = section;
      if (directory === null) {
        isMissing = true;
        this.#askDirectory(section);
      } else {
        section.touchDirectory();
        found.push({ section, directory });
      }
    }
    return isMissing ? [] : found;
  }

  /** @returns undefined if it is missing */
  block(section: ColdSection, directory: SectionDirectory, index: number): Buffer | undefined {
    const block = section.block(index);
    if (block !== undefined) {
      if (this.#isNew(this.#asked, section, index)) this.#spend(block.length);
      this.#pin(section, index);
      return block;
    }
    if (!this.#isNew(this.#asked, section, index)) return undefined;
    const length = directory.blockLength(index);
    this.#spend(length);
    this.pieces.push({
      reference: section.reference,
      offset: section.place.start + directory.blockStart(index),
      length,
      accept: (bytes) => {
        section.acceptBlock(directory, index, bytes);
        this.#pin(section, index);
      },
    });
    return undefined;
  }

  #pin(section: ColdSection, index: number): void {
    const known = this.#pins.get(section);
    if (known?.has(index) === true && section.isCached(index)) return;
    if (!section.pin(index)) return;
    if (known === undefined) this.#pins.set(section, new Set([index]));
    else known.add(index);
  }

  #askRun(run: ColdRun): void {
    if (!this.#isNew(this.#asked, run, 0)) return;
    const { reference } = run;
    const length = run.footerLength || Math.min(reference.length, FOOTER_GUESS_BYTES);
    const accept = (bytes: Uint8Array): void => {
      const tail = bufferOf(bytes);
      if (!isKnownFooter(tail)) this.#source.reader.openRun(run); // throws what is wrong
      run.footerLength = footerLength(reference, tail);
      if (run.footerLength > tail.length) return;
      run.acceptFooter(tail.subarray(tail.length - run.footerLength));
    };
    this.pieces.push({ reference, offset: reference.length - length, length, accept });
  }

  #askDirectory(section: ColdSection): void {
    if (!this.#isNew(this.#asked, section, -1)) return;
    const { reference, place } = section;
    const length = section.directoryLength || Math.min(place.length, DIRECTORY_GUESS_BYTES);
    this.#spend(length);
    const accept = (bytes: Uint8Array): void => {
      section.directoryLength = directoryLengthOf(section, bytes);
      if (section.directoryLength > bytes.length) return;
      const directory = bytes.subarray(bytes.length - section.directoryLength);
      this.#source.reader.acceptDirectory(section, directory);
    };
    this.pieces.push({ reference, offset: section.directoryStart(length), length, accept });
  }

  #spend(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) this.isFull = true;
  }

  #isNew<K>(asked: Map<K, Set<number>>, of: K, index: number): boolean {
    const known = asked.get(of);
    if (known === undefined) asked.set(of, new Set([index]));
    else if (known.has(index)) return false;
    else known.add(index);
    return true;
  }
}
