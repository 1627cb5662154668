import type { BlockCache, CacheOwner } from './block-cache.ts';
import { bufferOf, openBlock } from './run-block.ts';
import type { SectionPlace } from './run-footer.ts';
import { SectionDirectory } from './section-directory.ts';
import type { RunReference } from './snapshot.ts';

/** In the cache: the directory. Blocks have their own numbers. */
const DIRECTORY = -1;
/** Directories are needed for every look-up and cost more to read than a block. */
const DIRECTORY_CHANCES = 3;
/** What an object in the cache takes beside its bytes. */
const OVERHEAD_BYTES = 250;

/** What the sections of one cold state take of the cache. */
export interface Residence {
  bytes: number;
}

/**
 * A section of a run as far as it is in memory.
 *
 *   closed --accept--> directory known: each block absent --accept--> cached --evicted--> absent
 *      ^                       |
 *      +-----directory evicted-+   its blocks go with it
 *
 * It takes in bytes that others read; so reading may block or not.
 */
export class ColdSection implements CacheOwner {
  readonly reference: RunReference;
  readonly place: SectionPlace;
  directory: SectionDirectory | null = null;
  /** Of meta and trailer; 0 = not known yet (format version 1). */
  directoryLength: number;
  readonly #cache: BlockCache;
  readonly #residence: Residence;
  #directorySlot = -1;
  #blocks: (Buffer | undefined)[] = [];
  /** By block: its slot in the cache, -1 = absent. */
  #slots = new Int32Array(0);
  #isClosed = false;

  constructor(
    reference: RunReference,
    place: SectionPlace,
    cache: BlockCache,
    residence: Residence,
  ) {
    this.reference = reference;
    this.place = place;
    this.directoryLength = place.directoryLength;
    this.#cache = cache;
    this.#residence = residence;
  }

  get keyGroup(): number {
    return this.place.keyGroup;
  }

  /** Where the section begins in its file. */
  get fileOffset(): number {
    return this.reference.offset + this.place.start;
  }

  /** Where the directory begins, relative to the run, if `directoryLength` is its length. */
  directoryStart(directoryLength: number): number {
    return this.place.start + this.place.length - directoryLength;
  }

  /**
   * @param bytes the last bytes of the section, at least its directory
   * @throws CorruptRunError UnknownRunVersionError
   */
  acceptDirectory(bytes: Uint8Array): SectionDirectory {
    if (this.directory !== null) return this.directory;
    const { reference, place, fileOffset: offset } = this;
    const directory = new SectionDirectory({
      file: reference.file,
      offset,
      length: place.length,
      keyGroup: place.keyGroup,
      bytes: owned(bytes),
    });
    if (this.#isClosed) return directory;
    this.directory = directory;
    this.#blocks = new Array(directory.blockCount).fill(undefined);
    this.#slots = new Int32Array(directory.blockCount).fill(-1);
    const sizeBytes = this.#directoryBytes();
    this.#residence.bytes += sizeBytes;
    this.#directorySlot = this.#cache.add(this, DIRECTORY, sizeBytes);
    this.touchDirectory();
    return directory;
  }

  touchDirectory(): void {
    this.#cache.touch(this.#directorySlot, DIRECTORY_CHANCES);
  }

  /** A block that is in memory, or undefined. Counts as used. */
  block(index: number): Buffer | undefined {
    const block = this.#blocks[index];
    if (block !== undefined) this.#cache.touch(this.#slots[index]!);
    return block;
  }

  /**
   * @param directory with which the block was looked for; if it was dropped since, nothing is kept
   * @param bytes exactly the block as it is stored
   * @returns it unpacked
   * @throws CorruptRunError
   */
  acceptBlock(directory: SectionDirectory, index: number, bytes: Uint8Array): Buffer {
    const isKept = directory === this.directory;
    const known = isKept ? this.#blocks[index] : undefined;
    if (known !== undefined) return known;
    const at = this.fileOffset + directory.blockStart(index);
    const block = openBlock(bytes, this.reference.file, at);
    if (!isKept) return block;
    const kept = owned(block);
    const sizeBytes = kept.length + OVERHEAD_BYTES;
    this.#blocks[index] = kept;
    this.#residence.bytes += sizeBytes;
    this.#cache.pin(this.#directorySlot); // or the new block could drive out its own directory
    this.#slots[index] = this.#cache.add(this, index, sizeBytes);
    this.#cache.unpin(this.#directorySlot);
    return kept;
  }

  isCached(index: number): boolean {
    return (this.#slots[index] ?? -1) >= 0;
  }

  /** Keeps a block and the directory. @returns false if the block is not there */
  pin(index: number): boolean {
    if (!this.isCached(index)) return false;
    this.#cache.pin(this.#directorySlot);
    this.#cache.pin(this.#slots[index]!);
    return true;
  }

  /** The inverse, once for each `pin`; nothing happens if all was dropped meanwhile. */
  unpin(index: number): void {
    if (!this.isCached(index)) return;
    this.#cache.unpin(this.#directorySlot);
    this.#cache.unpin(this.#slots[index]!);
  }

  evicted(index: number): void {
    if (index === DIRECTORY) this.#dropAll();
    else this.#dropBlock(index);
  }

  /** Gives everything back; what comes later is not kept. */
  close(): void {
    this.#isClosed = true;
    if (this.directory === null) return;
    this.#cache.remove(this.#directorySlot);
    this.#dropAll();
  }

  #dropBlock(index: number): void {
    this.#residence.bytes -= this.#blocks[index]!.length + OVERHEAD_BYTES;
    this.#blocks[index] = undefined;
    this.#slots[index] = -1;
  }

  #dropAll(): void {
    for (let i = 0; i < this.#slots.length; i++) {
      if (this.#slots[i]! < 0) continue;
      this.#cache.remove(this.#slots[i]!);
      this.#dropBlock(i);
    }
    this.#residence.bytes -= this.#directoryBytes();
    this.directory = null;
    this.#directorySlot = -1;
    this.#blocks = [];
    this.#slots = new Int32Array(0);
  }

  #directoryBytes(): number {
    return this.directory!.sizeBytes + this.directory!.blockCount * 12 + OVERHEAD_BYTES;
  }
}

// What is kept must not keep more alive: a view of a large buffer would.
function owned(bytes: Uint8Array): Buffer {
  if (bytes.buffer.byteLength <= bytes.length + 64) return bufferOf(bytes);
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
