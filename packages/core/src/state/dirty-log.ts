import { assert } from '../base/assert.ts';
import type { Clock } from '../base/environment.ts';
import type { ShapeTable } from '../codec/shape-table.ts';
import { ValueEncoder } from '../codec/value-encoder.ts';
import { Segment } from './segment.ts';
import type { StoredEntry } from './stored-entry.ts';

/** A column of per-key values that can write one of its slots. */
export interface DirtyColumn {
  /** Encodes the slot if its epoch lies in the segment. @throws UnserializableValueError */
  encode(slot: number, segment: Segment): void;
  /** Forgets a change that came to nothing. @returns whether the slot is no longer listed */
  dropIfDead(slot: number): boolean;
}

/** What happens when a slot may have become free. */
export type OnRetired = (slot: number) => void;

/** Numbers that tests make small. */
export interface DirtyLogTuning {
  /** The clock is looked at once per this many entries; default 64 (an entry takes 2-3 us). */
  readonly sliceEntries?: number;
  /** Dead entries below this are not worth a sweep of the list; default 1 024. */
  readonly sweepAt?: number;
  /** Maps of so many entries leave the memory in parts; default 64. */
  readonly largeMap?: number;
}

const LARGE_BYTES = 1 << 20;

/**
 * Knows which entries changed since when: the open segment, and the chain of frozen ones, oldest
 * first. State machine and invariants: segment.ts.
 */
export class DirtyLog {
  readonly encoder: ValueEncoder;
  readonly largeMap: number;
  /** Epoch of the open segment. */
  epoch = 1;
  /** Entries with an epoch from here on are changed in the open segment. */
  openLow = 1;
  open = new Segment(1);
  readonly chain: Segment[] = [];
  /** S6: all epochs up to here are sealed. */
  sealedUpTo = 0;
  /** A value of more than a megabyte came in: time to look at the memory. */
  onLargeValue: () => void = () => {};
  readonly #columns: DirtyColumn[] = [];
  readonly #clock: Clock;
  readonly #sliceEntries: number;
  readonly #sweepAt: number;
  #sequence = 0;
  #deadSlots = 0;
  #deadEntries = 0;
  readonly #released: number[] = [];

  constructor(clock: Clock, shapes: ShapeTable, tuning: DirtyLogTuning = {}) {
    this.#clock = clock;
    this.#sliceEntries = tuning.sliceEntries ?? 64;
    this.#sweepAt = tuning.sweepAt ?? 1_024;
    this.largeMap = tuning.largeMap ?? 64;
    this.encoder = new ValueEncoder(shapes);
  }

  /** @returns the column's number in the lists of slots */
  addColumn(column: DirtyColumn): number {
    return this.#columns.push(column) - 1;
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Lists a slot as changed; its epoch is now `epoch`. */
  listSlot(column: number, slot: number): void {
    this.open.slotLists.at(-1)!.push(column, slot);
  }

  listEntry(entry: StoredEntry<unknown>): void {
    this.open.entryLists.at(-1)!.push(entry);
  }

  /** O(1). */
  freeze(): Segment {
    const frozen = this.open;
    frozen.state = 'frozen';
    this.chain.push(frozen);
    this.epoch++;
    this.openLow = this.epoch;
    this.open = new Segment(this.epoch);
    this.#deadSlots = 0;
    this.#deadEntries = 0;
    return frozen;
  }

  /** What must be sealed before it can be evicted: heap bytes, estimated. O(segments). */
  get dirtyBytes(): number {
    return this.chain.reduce((sum, { bytes }) => sum + bytes, this.open.bytes);
  }

  /** Notes that `bytes` more must be sealed before they can be evicted. */
  addDirtyBytes(bytes: number): void {
    this.open.bytes += bytes;
    if (bytes > LARGE_BYTES) this.onLargeValue();
  }

  /** Whether what a clean thing's epoch says is sealed (S6). */
  isSealed(epoch: number): boolean {
    return epoch <= 0 && -epoch <= this.sealedUpTo;
  }

  /** The slot is empty and may be released when what has been changed up to now is sealed. */
  retire(slot: number): void {
    this.open.retired.push(slot);
  }

  /** The run of the oldest segment is live. */
  seal(segment: Segment): void {
    assert(this.chain[0] === segment, 'segments seal in the order of their epochs');
    this.chain.shift();
    segment.state = 'sealed';
    segment.run = null;
    this.sealedUpTo = segment.high;
    for (const slot of segment.retired) this.#released.push(slot);
    segment.retired = [];
    segment.bytes = 0;
  }

  /**
   * Hands over slots whose segment is sealed until all are done or the clock reaches `deadlineMs`.
   *
   * @returns whether none is left
   */
  releaseSlice(release: OnRetired, deadlineMs: number): boolean {
    for (let count = 1; this.#released.length > 0; count++) {
      release(this.#released.pop()!);
      if (count % this.#sliceEntries === 0 && this.#clock.monotonicMs() >= deadlineMs) break;
    }
    return this.#released.length === 0;
  }

  /** The segment that must encode an entry of that epoch. */
  segmentOf(epoch: number): Segment {
    for (const segment of this.chain) {
      if (epoch >= segment.low && epoch <= segment.high) return segment;
    }
    assert(epoch >= this.open.low, 'an epoch that is not clean belongs to a live segment');
    return this.open;
  }

  /** The changes of a frozen segment go into the next one, unless its persist has begun. */
  discard(segment: Segment): void {
    if (segment.state !== 'frozen') return;
    const at = this.chain.indexOf(segment);
    assert(at >= 0, 'a frozen segment is in the chain');
    const successor = this.chain[at + 1] ?? this.open;
    assert(
      successor.state === 'frozen' || successor.state === 'open',
      'segments are begun in order',
    );
    successor.absorb(segment);
    this.chain.splice(at, 1);
    if (successor === this.open) this.openLow = successor.low;
  }

  /**
   * Encodes entries of a segment until all are done or the clock reaches `deadlineMs`.
   *
   * @returns whether all are encoded
   * @throws UnserializableValueError; the entry stays listed
   */
  encodeSlice(segment: Segment, deadlineMs: number): boolean {
    let untilClock = this.#sliceEntries;
    const isTimeUp = (): boolean => {
      if (--untilClock > 0) return false;
      untilClock = this.#sliceEntries;
      return this.#clock.monotonicMs() >= deadlineMs;
    };
    for (; segment.slotLists.length > 0; segment.slotLists.pop()) {
      const list = segment.slotLists.at(-1)!;
      while (list.length > 0) {
        if (isTimeUp()) return false;
        this.#columns[list.at(-2)!]!.encode(list.at(-1)!, segment);
        list.pop();
        list.pop();
      }
    }
    for (; segment.entryLists.length > 0; segment.entryLists.pop()) {
      const list = segment.entryLists.at(-1)!;
      for (; list.length > 0; list.pop()) {
        if (isTimeUp()) return false;
        this.encodeEntry(list.at(-1)!, segment);
      }
    }
    segment.state = 'encoded';
    return true;
  }

  /** Writes an entry's state into a segment, if its epoch lies there. */
  encodeEntry(entry: StoredEntry<unknown>, segment = this.segmentOf(entry.epoch)): void {
    if (entry.epoch < segment.low || entry.epoch > segment.high) return;
    const { table, keyGroup, key, sub, sequence } = entry;
    const isDead = entry.isGone || (entry.expiresAtMs < Infinity && this.isExpired(entry));
    if (!isDead) {
      const { stream } = segment;
      const bytes = stream.put(table, keyGroup, key, sub, sequence, entry, this.encoder);
      table.sizes.resize(entry, table.sizes.ofEncodedEntry(bytes, entry.bytes));
    } else if (entry.isKnown) {
      segment.stream.putTombstone(table, keyGroup, key, sub, sequence);
    }
    entry.isKnown = !isDead;
    entry.epoch = -segment.high;
  }

  isExpired(stored: { readonly expiresAtMs: number }): boolean {
    return stored.expiresAtMs <= this.nowMs();
  }

  /** A listed slot needs no record any more. Amortised O(1); slots may be released. */
  noteDeadSlot(): void {
    const list = this.open.slotLists.at(-1)!;
    if (++this.#deadSlots < this.#sweepAt || this.#deadSlots * 4 < list.length) return;
    this.#deadSlots = 0;
    let kept = 0;
    for (let i = 0; i < list.length; i += 2) {
      if (this.#columns[list[i]!]!.dropIfDead(list[i + 1]!)) continue;
      list[kept++] = list[i]!;
      list[kept++] = list[i + 1]!;
    }
    list.length = kept;
  }

  /** The same for an entry; its epoch is not above 0. */
  noteDeadEntry(): void {
    const lists = this.open.entryLists;
    const list = lists.at(-1)!;
    if (++this.#deadEntries < this.#sweepAt || this.#deadEntries * 2 < list.length) return;
    this.#deadEntries = 0;
    lists[lists.length - 1] = list.filter((entry) => entry.epoch > 0);
  }
}
