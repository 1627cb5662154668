import { type Key, keyIdentity } from '../element/key.ts';
import { keyGroupOf } from '../element/key-group.ts';
import { KeyIndex } from './key-index.ts';
import { NoCurrentKeyError } from './state-errors.ts';

/** In a column: the key has no value. */
export const ABSENT = Symbol('absent');
/** The current key has no slot. */
export const NO_SLOT = -1;

/** One state of all keys: values by slot. */
export interface SlotColumn {
  readonly values: unknown[];
  /** Room for slots below `capacity`. */
  grow(capacity: number): void;
  /** Whether the slot must stay because a change of it is not encoded. */
  isListed(slot: number): boolean;
}

/**
 * The keys of an operator subtask: each key that holds anything has a slot, a number into parallel
 * arrays, one per state. One look-up per record however many states there are.
 */
export class KeySlots {
  readonly keys: Key[] = [];
  keyGroups = new Uint16Array(16);
  readonly #columns: SlotColumn[] = [];
  readonly #index = new KeyIndex();
  readonly #free: number[] = [];
  readonly #operatorUid: string;
  readonly #maxParallelism: number;
  #key: Key | undefined;
  #hasKey = false;
  #keyGroup = -1;
  #slot = NO_SLOT;

  constructor(operatorUid: string, maxParallelism: number) {
    this.#operatorUid = operatorUid;
    this.#maxParallelism = maxParallelism;
  }

  addColumn(column: SlotColumn): void {
    column.grow(this.keyGroups.length);
    for (let slot = 0; slot < this.keys.length; slot++) column.values.push(ABSENT);
    this.#columns.push(column);
  }

  /** Slots ever used: all are below. */
  get length(): number {
    return this.keys.length;
  }

  /** @throws InvalidKeyError */
  setCurrent(key: Key): void {
    if (key === this.#key && this.#hasKey) return;
    const identity = keyIdentity(key);
    const slot = this.#index.get(identity);
    this.#slot = slot === undefined ? NO_SLOT : slot;
    this.#key = typeof key === 'number' ? (identity as number) : key;
    this.#hasKey = true;
    this.#keyGroup = -1; // known when it is asked for
  }

  clearCurrent(): void {
    this.#hasKey = false;
    this.#key = undefined;
    this.#slot = NO_SLOT;
  }

  /** @throws NoCurrentKeyError, as do the other three */
  currentKey(): Key {
    if (!this.#hasKey) this.#failNoKey();
    return this.#key as Key;
  }

  currentKeyGroup(): number {
    if (!this.#hasKey) this.#failNoKey();
    if (this.#keyGroup < 0) {
      this.#keyGroup =
        this.#slot === NO_SLOT
          ? keyGroupOf(this.#key as Key, this.#maxParallelism)
          : this.keyGroups[this.#slot]!;
    }
    return this.#keyGroup;
  }

  /** The current key's slot, or NO_SLOT. */
  currentSlot(): number {
    if (!this.#hasKey) this.#failNoKey();
    return this.#slot;
  }

  /** The current key's slot, made if there is none; the caller puts something into it. */
  ensureSlot(): number {
    if (!this.#hasKey) this.#failNoKey();
    if (this.#slot === NO_SLOT) {
      this.#slot = this.#allocate(this.#key as Key, this.currentKeyGroup());
    }
    return this.#slot;
  }

  /** The slot of a restored key. */
  slotOf(key: Key, keyGroup: number): number {
    return this.#index.get(keyIdentity(key)) ?? this.#allocate(key, keyGroup);
  }

  isUsed(slot: number): boolean {
    return this.#columns.some(({ values }) => values[slot] !== ABSENT);
  }

  /** Frees the slot if no state holds anything in it and nothing is left to encode. */
  releaseIfEmpty(slot: number): void {
    for (const column of this.#columns) {
      if (column.values[slot] !== ABSENT || column.isListed(slot)) return;
    }
    const key = this.keys[slot];
    if (key === undefined) return; // released before
    this.#index.delete(keyIdentity(key));
    (this.keys as (Key | undefined)[])[slot] = undefined;
    this.#free.push(slot);
    if (slot === this.#slot) this.#slot = NO_SLOT;
  }

  #allocate(key: Key, keyGroup: number): number {
    const slot = this.#free.pop() ?? this.keys.length;
    if (slot === this.keyGroups.length) this.#grow();
    this.keys[slot] = key;
    this.keyGroups[slot] = keyGroup;
    for (const { values } of this.#columns) values[slot] = ABSENT;
    this.#index.add(keyIdentity(key), slot);
    return slot;
  }

  #grow(): void {
    const grown = new Uint16Array(this.keyGroups.length * 2);
    grown.set(this.keyGroups);
    this.keyGroups = grown;
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
