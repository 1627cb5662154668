import type {
  AggregateFunction,
  AggregatingState,
  DeepReadonly,
  ReducingState,
  ValueState,
} from './descriptors.ts';
import { ABSENT, type KeySlots, NO_SLOT } from './key-slots.ts';
import type { ValueColumn } from './value-column.ts';

/** Called with every value that a user hands over to be kept. */
export type OnStore = (value: unknown) => void;

/** Value state of the current key. */
export class ValueHandle<T> implements ValueState<T> {
  readonly #keys: KeySlots;
  readonly #column: ValueColumn;
  readonly #initial: T;
  readonly #onStore: OnStore | null;

  constructor(keys: KeySlots, column: ValueColumn, initial: T, onStore: OnStore | null) {
    this.#keys = keys;
    this.#column = column;
    this.#initial = initial;
    this.#onStore = onStore;
  }

  get(): DeepReadonly<T> {
    const slot = this.#keys.currentSlot();
    const value = slot === NO_SLOT ? ABSENT : this.#column.read(slot);
    return (value === ABSENT ? this.#initial : value) as DeepReadonly<T>;
  }

  set(value: T): void {
    if (value === undefined && this.#initial === undefined) {
      this.clear();
      return;
    }
    if (this.#onStore !== null) this.#onStore(value);
    this.#column.write(this.#keys.ensureSlot(), value);
  }

  clear(): void {
    const slot = this.#keys.currentSlot();
    if (slot !== NO_SLOT) this.#column.clear(slot);
  }
}

/** Reducing state of the current key. */
export class ReducingHandle<T> implements ReducingState<T> {
  readonly #keys: KeySlots;
  readonly #column: ValueColumn;
  readonly #reduce: (a: T, b: T) => T;
  readonly #onStore: OnStore | null;

  constructor(
    keys: KeySlots,
    column: ValueColumn,
    reduce: (a: T, b: T) => T,
    onStore: OnStore | null,
  ) {
    this.#keys = keys;
    this.#column = column;
    this.#reduce = reduce;
    this.#onStore = onStore;
  }

  get(): DeepReadonly<T> | undefined {
    const slot = this.#keys.currentSlot();
    const value = slot === NO_SLOT ? ABSENT : this.#column.read(slot);
    return value === ABSENT ? undefined : (value as DeepReadonly<T>);
  }

  add(value: T): void {
    const slot = this.#keys.ensureSlot();
    const old = this.#column.readForUpdate(slot);
    const next = old === ABSENT ? value : this.#reduce(old as T, value);
    if (this.#onStore !== null) this.#onStore(next);
    this.#column.write(slot, next);
  }

  clear(): void {
    const slot = this.#keys.currentSlot();
    if (slot !== NO_SLOT) this.#column.clear(slot);
  }
}

/** Aggregating state of the current key. */
export class AggregatingHandle<In, Acc, Out> implements AggregatingState<In, Out> {
  readonly #keys: KeySlots;
  readonly #column: ValueColumn;
  readonly #aggregate: AggregateFunction<In, Acc, Out>;

  constructor(keys: KeySlots, column: ValueColumn, aggregate: AggregateFunction<In, Acc, Out>) {
    this.#keys = keys;
    this.#column = column;
    this.#aggregate = aggregate;
  }

  get(): Out | undefined {
    const slot = this.#keys.currentSlot();
    const value = slot === NO_SLOT ? ABSENT : this.#column.read(slot);
    if (value === ABSENT) return undefined;
    const { result } = this.#aggregate;
    return result === undefined
      ? (value as Out)
      : (this.#aggregate.result as (accumulator: Acc) => Out)(value as Acc);
  }

  add(value: In): void {
    const slot = this.#keys.ensureSlot();
    // Encoded and marked before `add` may change the accumulator in place.
    const old = this.#column.readForUpdate(slot);
    const accumulator = old === ABSENT ? this.#aggregate.create() : (old as Acc);
    this.#column.write(slot, this.#aggregate.add(accumulator, value));
  }

  clear(): void {
    const slot = this.#keys.currentSlot();
    if (slot !== NO_SLOT) this.#column.clear(slot);
  }
}
