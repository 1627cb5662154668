import type { EntryReader, StoredValue } from './entry-reader.ts';
import type { DirtyColumn, DirtyLog } from './dirty-log.ts';
import { ABSENT, COLD, type KeySlots, type SlotColumn } from './key-slots.ts';
import type { Segment } from './segment.ts';
import type { DeclaredTable } from './state-table.ts';
import { SKIPPED_PER_LOOK, SWEEP_PER_WRITE, type TtlClock } from './ttl-clock.ts';
import type { OnStore } from './value-handles.ts';

/** Whether records of the slot's address exist; kept apart so that its end is written if needed. */
const NOTHING_KNOWN = 0;
/** One with a value exists, or may exist: the end of the value must be written. */
const VALUE_KNOWN = 1;
/** Its end has been encoded, perhaps into a segment that is not sealed. */
const END_KNOWN = 2;

/** One value per key: value, reducing and aggregating state. */
export class ValueColumn implements SlotColumn, DirtyColumn {
  readonly table: DeclaredTable;
  readonly values: unknown[] = [];
  /** Keys that hold a value in memory, expired or not. */
  liveCount = 0;
  readonly ttl: TtlClock | null;
  readonly #keys: KeySlots;
  readonly #log: DirtyLog;
  readonly #cold: EntryReader;
  readonly #onLoad: OnStore | null;
  readonly #number: number;
  /** > 0: changed in that epoch and not encoded; <= 0: clean, last written by segment -epoch. */
  #epochs = new Int32Array(0);
  #known = new Uint8Array(0);
  #sizes = new Uint32Array(0);
  #expiries: Float64Array | null = null;
  #swept = -1;

  /** @param onLoad is shown every value that comes out of a run */
  constructor(
    table: DeclaredTable,
    keys: KeySlots,
    log: DirtyLog,
    cold: EntryReader,
    ttl: TtlClock | null,
    onLoad: OnStore | null,
  ) {
    this.table = table;
    this.#keys = keys;
    this.#log = log;
    this.#cold = cold;
    this.#onLoad = onLoad;
    this.ttl = ttl;
    if (ttl !== null) this.#expiries = new Float64Array(0);
    keys.addColumn(this);
    this.#number = log.addColumn(this);
  }

  /** The value as it may be shown; ABSENT if there is none or it has expired. */
  read(slot: number): unknown {
    let value = this.values[slot];
    if (value === ABSENT) return ABSENT;
    if (value === COLD) {
      value = this.#load(slot);
      if (value === ABSENT) return ABSENT;
    }
    const epoch = this.#epochs[slot]!;
    if (epoch > 0 && epoch < this.#log.openLow) this.#encodeFrozen(slot, epoch);
    return this.ttl === null ? value : this.#readWithTtl(slot, value, this.ttl);
  }

  /**
   * The value to be changed: marked as changed first, so that it may even be changed in place.
   * An expired one counts as ABSENT, unless the state shows expired values.
   */
  readForUpdate(slot: number): unknown {
    if (this.values[slot] === COLD) this.#load(slot);
    this.#markDirty(slot);
    const value = this.values[slot];
    if (value === ABSENT || this.ttl === null || this.ttl.showsExpired) return value;
    return this.ttl.isExpired(this.#expiries![slot]!) ? ABSENT : value;
  }

  /** Overwrites what there is, without reading it. */
  write(slot: number, value: unknown): void {
    const isFirstChange = this.#epochs[slot]! < this.#log.openLow;
    if (isFirstChange) this.#markDirty(slot);
    const old = this.values[slot];
    if (old === ABSENT || old === COLD) this.#put(slot, value);
    else {
      this.values[slot] = value;
      if (typeof value !== 'number' && (isFirstChange || this.table.sizes.wantsLook(value))) {
        this.#measure(slot, value);
      }
    }
    if (this.ttl === null) return;
    this.#expiries![slot] = this.ttl.expiry();
    if (this.ttl.sweeps) this.#sweep(slot, this.ttl);
  }

  /** The slot may be released. */
  clear(slot: number): void {
    if (this.values[slot] === COLD) this.#load(slot);
    if (this.values[slot] === ABSENT) return;
    this.#markDirty(slot);
    this.#drop(slot);
    if (this.#known[slot] !== VALUE_KNOWN) this.#log.noteDeadSlot();
  }

  /** Whether the slot holds a value, expired or not. May read. */
  holds(slot: number): boolean {
    if (this.values[slot] === COLD) this.#load(slot);
    return this.values[slot] !== ABSENT;
  }

  reset(slot: number, initial: typeof ABSENT | typeof COLD): void {
    this.values[slot] = initial;
    this.#epochs[slot] = 0;
    this.#sizes[slot] = 0;
    // What is written over something cold may have to be ended there.
    this.#known[slot] = initial === COLD ? VALUE_KNOWN : NOTHING_KNOWN;
  }

  isSettled(slot: number): boolean {
    return this.#log.isSealed(this.#epochs[slot]!);
  }

  evict(slot: number): void {
    const value = this.values[slot];
    if (value !== ABSENT && value !== COLD) this.#drop(slot);
  }

  grow(capacity: number): void {
    this.#epochs = grown(this.#epochs, new Int32Array(capacity));
    this.#known = grown(this.#known, new Uint8Array(capacity));
    this.#sizes = grown(this.#sizes, new Uint32Array(capacity));
    if (this.#expiries !== null) {
      this.#expiries = grown(this.#expiries, new Float64Array(capacity));
    }
  }

  encode(slot: number, segment: Segment): void {
    const epoch = this.#epochs[slot]!;
    if (epoch < segment.low || epoch > segment.high) return;
    this.#encodeInto(slot, segment);
  }

  dropIfDead(slot: number): boolean {
    const known = this.#known[slot]!;
    if (this.values[slot] !== ABSENT || known === VALUE_KNOWN) return false;
    if (this.#epochs[slot]! <= 0) return true; // encoded on access, and listed again since
    // An end that went before may be in this very segment, if it took over a discarded one.
    this.#epochs[slot] = known === NOTHING_KNOWN ? 0 : -this.#log.epoch;
    if (known === NOTHING_KNOWN) this.#keys.releaseIfEmpty(slot);
    else this.#log.retire(slot);
    return true;
  }

  /** Puts in what a run holds; the slot is COLD. */
  fill(slot: number, stored: StoredValue): void {
    const { value, expiresAtMs, encodedBytes, isMigrated } = stored;
    if (this.#onLoad !== null) this.#onLoad(value);
    this.values[slot] = value;
    this.liveCount++;
    this.#resize(slot, this.table.sizes.ofEncoded(encodedBytes, 0));
    if (this.#expiries !== null) this.#expiries[slot] = expiresAtMs;
    if (isMigrated) this.#markDirty(slot);
  }

  #load(slot: number): unknown {
    const stored = this.#cold.find(
      this.table,
      this.#keys.keyGroups[slot]!,
      this.#keys.keys[slot]!,
      undefined,
    );
    if (stored === null) {
      this.values[slot] = ABSENT;
      this.#known[slot] = NOTHING_KNOWN;
    } else {
      this.fill(slot, stored);
    }
    return this.values[slot];
  }

  #put(slot: number, value: unknown): void {
    this.values[slot] = value;
    this.liveCount++;
    this.#measure(slot, value);
  }

  #drop(slot: number): void {
    this.values[slot] = ABSENT;
    this.liveCount--;
    this.table.sizes.held -= this.#sizes[slot]!;
    this.#sizes[slot] = 0;
  }

  #measure(slot: number, value: unknown): void {
    const grown = this.#resize(slot, this.table.sizes.ofChanged(value));
    if (grown > 0) this.#log.addDirtyBytes(grown);
  }

  #resize(slot: number, bytes: number): number {
    const size = Math.min(bytes, 0xffff_ffff) >>> 0;
    const grown = size - this.#sizes[slot]!;
    this.#sizes[slot] = size;
    this.table.sizes.held += grown;
    return grown;
  }

  #sweep(written: number, ttl: TtlClock): void {
    for (let i = 0; i < SWEEP_PER_WRITE; i++) {
      const slot = this.#nextInRound();
      if (slot < 0 || slot === written || !ttl.isExpired(this.#expiries![slot]!)) continue;
      if (this.#epochs[slot]! > 0) {
        this.clear(slot);
        continue;
      }
      // The run says itself that the value has expired: no need to write its end.
      this.#drop(slot);
      this.#known[slot] = END_KNOWN;
      if (this.isSettled(slot)) this.#keys.releaseIfEmpty(slot);
      else this.#log.retire(slot);
    }
  }

  /** @returns the next slot that holds a value, or -1 if none of the next few does */
  #nextInRound(): number {
    for (let i = 0; i < SKIPPED_PER_LOOK; i++) {
      this.#swept = this.#swept + 1 < this.#keys.length ? this.#swept + 1 : 0;
      const value = this.values[this.#swept];
      if (value !== ABSENT && value !== COLD) return this.#swept;
    }
    return -1;
  }

  #readWithTtl(slot: number, value: unknown, ttl: TtlClock): unknown {
    if (ttl.isExpired(this.#expiries![slot]!)) {
      this.clear(slot);
      return ttl.showsExpired ? value : ABSENT;
    }
    if (ttl.restampsOnRead) {
      this.#markDirty(slot);
      this.#expiries![slot] = ttl.expiry();
    }
    return value;
  }

  #markDirty(slot: number): void {
    const epoch = this.#epochs[slot]!;
    if (epoch >= this.#log.openLow) return;
    if (epoch > 0) this.#encodeFrozen(slot, epoch);
    this.#epochs[slot] = this.#log.epoch;
    this.#log.listSlot(this.#number, slot);
    this.#log.addDirtyBytes(this.#sizes[slot]!);
  }

  // Copy on access. Does not release the slot: the caller is about to use it.
  #encodeFrozen(slot: number, epoch: number): void {
    this.#encodeInto(slot, this.#log.segmentOf(epoch));
  }

  #encodeInto(slot: number, segment: Segment): void {
    const value = this.values[slot];
    const expiresAtMs = this.#expiries === null ? Infinity : this.#expiries[slot]!;
    const isDead = value === ABSENT || (this.ttl?.isExpired(expiresAtMs) ?? false);
    const key = this.#keys.keys[slot]!;
    const keyGroup = this.#keys.keyGroups[slot]!;
    // Encoded when changed or sliced, so the order of encoding is the order of change (S3).
    const sequence = this.#log.nextSequence();
    if (!isDead) {
      const stored = { value, expiresAtMs, rank: 0 };
      const { encoder } = this.#log;
      const bytes = segment.stream.put(
        this.table,
        keyGroup,
        key,
        undefined,
        sequence,
        stored,
        encoder,
      );
      this.#resize(slot, this.table.sizes.ofEncoded(bytes, this.#sizes[slot]!));
      this.#known[slot] = VALUE_KNOWN;
    } else {
      if (this.#known[slot] === VALUE_KNOWN) {
        segment.stream.putTombstone(this.table, keyGroup, key, undefined, sequence);
      }
      this.#known[slot] = END_KNOWN;
      segment.retired.push(slot);
    }
    this.#epochs[slot] = -segment.high;
  }
}

function grown<T extends Int32Array | Uint8Array | Uint32Array | Float64Array>(
  old: T,
  larger: T,
): T {
  larger.set(old as never);
  return larger;
}
