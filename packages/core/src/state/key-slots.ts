import { type Key, keyIdentity } from '../element/key.ts';
import { keyGroupOf } from '../element/key-group.ts';
import { KeyIndex } from './key-index.ts';
import { NoCurrentKeyError } from './state-errors.ts';

// Which keys are in memory, and what is known of them.
//
//            setCurrent, touched                    first touch of a column
//   unknown -------------------> slot, columns COLD -------------------------> value or ABSENT
//      ^                                                                            |
//      +---- evicted: all columns settled --------- released: all ABSENT, settled --+
//
// K1. While `isComplete`, a key without a slot has no state at all. Else what it has is in the live
//     runs, and nothing of it is anywhere else.
// K2. A slot is given up only if every column is settled there: what the column says of the key
//     (its value, or that it has none) stands in runs that can be read. So an end that is not yet
//     readable keeps its slot, and an older value cannot come back.
// K3. The slot of the current key stays.

/** In a column: the key has no value. */
export const ABSENT = Symbol('absent');
/** In a column: whether the key has a value is in the runs and has not been looked up. */
export const COLD = Symbol('cold');
/** The current key has no slot, and so no state. */
export const NO_SLOT = -1;
/** The current key may have state that is not in memory. */
const UNRESOLVED = -2;
const NO_KEY = -3;

/** Beside its values, a slot takes so many bytes: index, key, columns; measured, rounded up. */
const SLOT_BYTES = 96;
const COLUMN_BYTES = 24;

/** One state of all keys: values by slot. */
export interface SlotColumn {
  readonly values: unknown[];
  /** Room for slots below `capacity`. */
  grow(capacity: number): void;
  /** The slot has a new owner, of whom nothing is known to this column. */
  reset(slot: number, initial: typeof ABSENT | typeof COLD): void;
  /** Whether what the column says of the slot stands in live runs (or never was anywhere). */
  isSettled(slot: number): boolean;
  /** Forgets a settled slot's value. */
  evict(slot: number): void;
  /** Gives up parts of a value that cannot go as a whole. Cost: O(looked at). */
  evictParts?(slot: number): void;
}

/**
 * The keys of an operator subtask: each key that holds anything has a slot, a number into parallel
 * arrays, one per state. One look-up per record however many states there are.
 */
export class KeySlots {
  readonly keys: Key[] = [];
  keyGroups = new Uint16Array(16);
  /** K1. */
  isComplete: boolean;
  /** Whether uses are noted for the eviction: only once memory is getting short. */
  notesUse = false;
  /** Slots that were given up although their keys have state. */
  evictions = 0;
  readonly #columns: SlotColumn[] = [];
  readonly #index = new KeyIndex();
  readonly #free: number[] = [];
  readonly #operatorUid: string;
  readonly #maxParallelism: number;
  #isUsed = new Uint8Array(16);
  #keyBytes = 0;
  #hand = -1;
  #key: Key | undefined;
  #keyGroup = -1;
  #slot = NO_KEY;

  constructor(operatorUid: string, maxParallelism: number, isComplete: boolean) {
    this.#operatorUid = operatorUid;
    this.#maxParallelism = maxParallelism;
    this.isComplete = isComplete;
  }

  addColumn(column: SlotColumn): void {
    column.grow(this.keyGroups.length);
    for (let slot = 0; slot < this.keys.length; slot++) column.reset(slot, this.#initial());
    this.#columns.push(column);
  }

  /** Slots ever used: all are below. */
  get length(): number {
    return this.keys.length;
  }

  /** Keys in memory. */
  get used(): number {
    return this.keys.length - this.#free.length;
  }

  /** What keys and slots take, without the values. O(1). */
  get bytes(): number {
    return this.#keyBytes + this.used * (SLOT_BYTES + COLUMN_BYTES * this.#columns.length);
  }

  /** @throws InvalidKeyError */
  setCurrent(key: Key): void {
    if (key === this.#key && this.#slot !== NO_KEY) return;
    const identity = keyIdentity(key);
    const slot = this.#index.get(identity);
    if (slot !== undefined) {
      this.#slot = slot;
      if (this.notesUse) this.#isUsed[slot] = 1;
    } else {
      this.#slot = this.isComplete ? NO_SLOT : UNRESOLVED;
    }
    this.#key = typeof key === 'number' ? (identity as number) : key;
    this.#keyGroup = -1; // known when it is asked for
  }

  clearCurrent(): void {
    this.#key = undefined;
    this.#slot = NO_KEY;
  }

  /** @throws NoCurrentKeyError, as do the other three */
  currentKey(): Key {
    if (this.#slot === NO_KEY) this.#failNoKey();
    return this.#key as Key;
  }

  currentKeyGroup(): number {
    if (this.#slot === NO_KEY) this.#failNoKey();
    if (this.#keyGroup < 0) {
      this.#keyGroup =
        this.#slot < 0
          ? keyGroupOf(this.#key as Key, this.#maxParallelism)
          : this.keyGroups[this.#slot]!;
    }
    return this.#keyGroup;
  }

  /** The current key's slot, or NO_SLOT. Reads nothing: the columns of a new slot are COLD. */
  currentSlot(): number {
    return this.#slot >= NO_SLOT ? this.#slot : this.#resolve();
  }

  /** The current key's slot, made if there is none; the caller puts something into it. */
  ensureSlot(): number {
    return this.#slot >= 0 ? this.#slot : this.#resolve();
  }

  /** The slot of a key, made if there is none. */
  slotOf(key: Key, keyGroup: number): number {
    return this.find(key) ?? this.#allocate(key, keyGroup);
  }

  /** The key's slot, if it has one. */
  find(key: Key): number | undefined {
    return this.#index.get(keyIdentity(key));
  }

  /** Frees the slot if no state holds anything in it and all of that is readable (K2). */
  releaseIfEmpty(slot: number): void {
    if (this.keys[slot] === undefined) return; // released before
    for (const column of this.#columns) {
      if (column.values[slot] !== ABSENT || !column.isSettled(slot)) return;
    }
    this.#release(slot);
  }

  /**
   * Second chance: goes on round the slots, looks at `count` of them, and gives up those that have
   * not been used since the last look and are settled. Not while a user's function runs.
   */
  evictSome(count: number): void {
    const { length } = this.keys;
    for (let i = 0; i < count && i < 2 * length; i++) {
      this.#hand = this.#hand + 1 < length ? this.#hand + 1 : 0;
      const slot = this.#hand;
      if (this.keys[slot] === undefined) continue;
      if (slot === this.#slot)
        this.#evictParts(slot); // K3
      else if (this.#isUsed[slot] === 1) this.#isUsed[slot] = 0;
      else this.#evict(slot);
    }
  }

  #evict(slot: number): void {
    let isEmpty = true;
    let isSettled = true;
    for (const column of this.#columns) {
      isEmpty &&= column.values[slot] === ABSENT;
      isSettled &&= column.isSettled(slot);
    }
    if (!isSettled) {
      this.#evictParts(slot);
      return;
    }
    if (!isEmpty) {
      this.isComplete = false;
      this.evictions++;
      for (const column of this.#columns) column.evict(slot);
    }
    this.#release(slot);
  }

  #evictParts(slot: number): void {
    for (const column of this.#columns) column.evictParts?.(slot);
  }

  #release(slot: number): void {
    const key = this.keys[slot]!;
    this.#index.delete(keyIdentity(key));
    (this.keys as (Key | undefined)[])[slot] = undefined;
    this.#free.push(slot);
    this.#keyBytes -= bytesOfKey(key);
    if (slot === this.#slot) this.#slot = this.isComplete ? NO_SLOT : UNRESOLVED;
  }

  // Between two uses of one key the hydration may have given it a slot.
  #resolve(): number {
    if (this.#slot === NO_KEY) this.#failNoKey();
    this.#slot = this.slotOf(this.#key as Key, this.currentKeyGroup());
    return this.#slot;
  }

  #initial(): typeof ABSENT | typeof COLD {
    return this.isComplete ? ABSENT : COLD;
  }

  #allocate(key: Key, keyGroup: number): number {
    const slot = this.#free.pop() ?? this.keys.length;
    if (slot === this.keyGroups.length) this.#grow();
    this.keys[slot] = key;
    this.keyGroups[slot] = keyGroup;
    this.#isUsed[slot] = 1;
    this.#keyBytes += bytesOfKey(key);
    for (const column of this.#columns) column.reset(slot, this.#initial());
    this.#index.add(keyIdentity(key), slot);
    return slot;
  }

  #grow(): void {
    const grown = new Uint16Array(this.keyGroups.length * 2);
    grown.set(this.keyGroups);
    this.keyGroups = grown;
    const isUsed = new Uint8Array(grown.length);
    isUsed.set(this.#isUsed);
    this.#isUsed = isUsed;
    for (const column of this.#columns) column.grow(grown.length);
  }

  #failNoKey(): never {
    throw new NoCurrentKeyError(
      `keyed state of operator "${this.#operatorUid}" was touched where no key is current`,
      { operatorUid: this.#operatorUid },
      { hint: 'Keyed state exists only while a record or a timer of a key is handled.' },
    );
  }
}

function bytesOfKey(key: Key): number {
  if (typeof key === 'string') return key.length;
  return typeof key === 'object' ? 64 : 0;
}
