import type { DirtyColumn, DirtyLog } from './dirty-log.ts';
import { ABSENT, type KeySlots, type SlotColumn } from './key-slots.ts';
import type { Segment } from './segment.ts';
import type { StateTable } from './state-table.ts';
import { SWEEP_PER_WRITE, type TtlClock } from './ttl-clock.ts';

/** One value per key: value, reducing and aggregating state. */
export class ValueColumn implements SlotColumn, DirtyColumn {
  readonly table: StateTable;
  readonly values: unknown[] = [];
  /** Keys that hold a value, expired or not. */
  liveCount = 0;
  readonly ttl: TtlClock | null;
  readonly #keys: KeySlots;
  readonly #log: DirtyLog;
  readonly #number: number;
  /** The segment in which the slot is changed and not yet encoded; 0 = none. */
  #epochs = new Int32Array(0);
  /** Whether a record with a value exists: only then the end of the value must be written. */
  #known = new Uint8Array(0);
  #expiries: Float64Array | null = null;
  #swept = -1;

  constructor(table: StateTable, keys: KeySlots, log: DirtyLog, ttl: TtlClock | null) {
    this.table = table;
    this.#keys = keys;
    this.#log = log;
    this.ttl = ttl;
    if (ttl !== null) this.#expiries = new Float64Array(0);
    keys.addColumn(this);
    this.#number = log.addColumn(this);
  }

  /** The value as it may be shown; ABSENT if there is none or it has expired. */
  read(slot: number): unknown {
    const value = this.values[slot];
    if (value === ABSENT) return ABSENT;
    const epoch = this.#epochs[slot]!;
    if (epoch > 0 && epoch < this.#log.openLow) this.#encodeFrozen(slot, epoch);
    return this.ttl === null ? value : this.#readWithTtl(slot, value, this.ttl);
  }

  /**
   * The value to be changed: marked as changed first, so that it may even be changed in place.
   * An expired one counts as ABSENT, unless the state shows expired values.
   */
  readForUpdate(slot: number): unknown {
    this.#markDirty(slot);
    const value = this.values[slot];
    if (value === ABSENT || this.ttl === null || this.ttl.showsExpired) return value;
    return this.ttl.isExpired(this.#expiries![slot]!) ? ABSENT : value;
  }

  write(slot: number, value: unknown): void {
    this.#markDirty(slot);
    if (this.values[slot] === ABSENT) this.liveCount++;
    this.values[slot] = value;
    if (this.ttl === null) return;
    this.#expiries![slot] = this.ttl.expiry();
    if (this.ttl.sweeps) this.#sweep(slot, this.ttl);
  }

  /** The slot may be released. */
  clear(slot: number): void {
    if (this.values[slot] === ABSENT) return;
    this.#markDirty(slot);
    this.values[slot] = ABSENT;
    this.liveCount--;
    if (this.#known[slot] === 0) this.#log.noteDeadSlot();
  }

  /** Puts in what a run holds. */
  restore(slot: number, value: unknown, expiresAtMs: number): void {
    this.values[slot] = value;
    this.#known[slot] = 1;
    this.liveCount++;
    if (this.#expiries !== null) this.#expiries[slot] = expiresAtMs;
  }

  /** Has the restored value written again, in its present form. */
  rewrite(slot: number): void {
    this.#markDirty(slot);
  }

  isListed(slot: number): boolean {
    return this.#epochs[slot]! > 0;
  }

  grow(capacity: number): void {
    this.#epochs = grown(this.#epochs, new Int32Array(capacity));
    this.#known = grown(this.#known, new Uint8Array(capacity));
    if (this.#expiries !== null) {
      this.#expiries = grown(this.#expiries, new Float64Array(capacity));
    }
  }

  encode(slot: number, segment: Segment): void {
    const epoch = this.#epochs[slot]!;
    if (epoch < segment.low || epoch > segment.high) return;
    this.#encodeInto(slot, segment);
    if (this.values[slot] === ABSENT) this.#keys.releaseIfEmpty(slot);
  }

  dropIfDead(slot: number): boolean {
    if (this.values[slot] !== ABSENT || this.#known[slot] !== 0) return false;
    this.#epochs[slot] = 0;
    this.#keys.releaseIfEmpty(slot);
    return true;
  }

  #sweep(written: number, ttl: TtlClock): void {
    for (let i = 0; i < SWEEP_PER_WRITE; i++) {
      this.#swept = this.#swept + 1 < this.#keys.length ? this.#swept + 1 : 0;
      const slot = this.#swept;
      if (slot === written || this.values[slot] === ABSENT) continue;
      if (!ttl.isExpired(this.#expiries![slot]!)) continue;
      if (this.#epochs[slot] !== 0) {
        this.clear(slot);
        continue;
      }
      // The run says itself that the value has expired: no need to write its end.
      this.values[slot] = ABSENT;
      this.#known[slot] = 0;
      this.liveCount--;
      this.#keys.releaseIfEmpty(slot);
    }
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
      segment.stream.put(this.table, keyGroup, key, undefined, sequence, stored, encoder);
    } else if (this.#known[slot] === 1) {
      segment.stream.putTombstone(this.table, keyGroup, key, undefined, sequence);
    }
    this.#known[slot] = isDead ? 0 : 1;
    this.#epochs[slot] = 0;
  }
}

function grown<T extends Int32Array | Uint8Array | Float64Array>(old: T, larger: T): T {
  larger.set(old as never);
  return larger;
}
