import type { KeyGroupRange } from '../element/key-group.ts';
import type { BlockCache } from './block-cache.ts';
import { ColdSection, type Residence } from './cold-section.ts';
import { readFooter, type RunFooter } from './run-footer.ts';
import type { TableRecord } from './run-format.ts';
import type { RunReference } from './snapshot.ts';

/** A live run of a cold state: which of its sections count, once its footer is read. */
export class ColdRun {
  /** Cut to the owned key groups. */
  readonly reference: RunReference;
  /** By key group, from the first owned one on; null = nothing there. Empty until it is open. */
  sections: readonly (ColdSection | null)[] = [];
  isOpen = false;
  /** 0 = not known yet. */
  footerLength = 0;
  /** Of its sections that count; before it is open, of the whole run. */
  entries: number;
  /** null: of format version 1, its sections know, or the footer is not read yet. */
  tables: readonly TableRecord[] | null = null;
  #isClosed = false;
  readonly #firstKeyGroup: number;
  readonly #cache: BlockCache;
  readonly #residence: Residence;

  constructor(
    reference: RunReference,
    range: KeyGroupRange,
    cache: BlockCache,
    residence: Residence,
  ) {
    this.reference = reference;
    this.entries = reference.entries;
    this.#firstKeyGroup = range.first;
    this.#cache = cache;
    this.#residence = residence;
  }

  /** @param bytes exactly the footer. @throws CorruptRunError */
  acceptFooter(bytes: Buffer): void {
    if (this.isOpen || this.#isClosed) return;
    const { first, last } = this.reference.keyGroups;
    const footer: RunFooter = readFooter(this.reference, bytes);
    const sections: (ColdSection | null)[] = new Array(last - this.#firstKeyGroup + 1).fill(null);
    this.entries = 0;
    for (const place of footer.sections) {
      if (place.keyGroup < first || place.keyGroup > last) continue;
      const section = new ColdSection(this.reference, place, this.#cache, this.#residence);
      sections[place.keyGroup - this.#firstKeyGroup] = section;
      this.entries += place.entries;
    }
    this.sections = sections;
    this.tables = footer.tables;
    this.isOpen = true;
  }

  /** Gives back what its sections have in the cache; what comes later is not kept. */
  close(): void {
    this.#isClosed = true;
    for (const section of this.sections) section?.close();
  }
}
