import type { Key } from '../element/key.ts';

/** A value that must not be changed in place: state changes only by `set`, `add`, `update`, ... */
export type DeepReadonly<T> = T extends string | number | bigint | boolean | null | undefined | Date
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
    : T extends ReadonlySet<infer V>
      ? ReadonlySet<DeepReadonly<V>>
      : T extends object
        ? { readonly [P in keyof T]: DeepReadonly<T[P]> }
        : T;

/**
 * Time to live of a state's entries, in processing time. An entry expires at stamp + ttl <= now.
 * In list and map state each element has its own stamp.
 */
export interface TtlOptions {
  readonly ttlMs: number;
  /** What sets the stamp. Default `onCreateAndWrite`. */
  readonly update?: 'onCreateAndWrite' | 'onReadAndWrite';
  /** Default `neverReturnExpired`; the other returns an expired entry once, until it is cleaned. */
  readonly visibility?: 'neverReturnExpired' | 'returnExpiredIfNotCleanedUp';
}

/** What every kind of state may be given. */
export interface StateOptions<T> {
  readonly ttl?: TtlOptions;
  /** Version of the stored form, 1 or higher; raise it together with a `migrate`. Default 1. */
  readonly version?: number;
  /**
   * Makes a value of this version out of one of an older version; called once per stored value
   * when it is read. For map state the map's values, for list state the elements.
   */
  readonly migrate?: (old: unknown, oldVersion: number) => T;
}

/** A value per key; made by `value`. */
export interface ValueState<T> {
  /** The value, or the initial one if never set, cleared or expired. Do not change it in place. */
  get(): DeepReadonly<T>;
  set(value: T): void;
  clear(): void;
}

/** A list per key; made by `list`. */
export interface ListState<T> {
  /** The elements in the order they were added; empty if there are none. */
  get(): readonly DeepReadonly<T>[];
  add(element: T): void;
  addAll(elements: Iterable<T>): void;
  /** Replaces all elements. */
  update(elements: Iterable<T>): void;
  clear(): void;
}

/** A map per key; made by `map`. */
export interface MapState<K extends Key, V> {
  get(key: K): DeepReadonly<V> | undefined;
  set(key: K, value: V): void;
  has(key: K): boolean;
  delete(key: K): void;
  /** Entries in the order of their first insertion. Setting an entry while iterating is allowed. */
  entries(): Iterable<readonly [K, DeepReadonly<V>]>;
  keys(): Iterable<K>;
  values(): Iterable<DeepReadonly<V>>;
  isEmpty(): boolean;
  clear(): void;
}

/** A reduction per key; made by `reducing`. */
export interface ReducingState<T> {
  /** The reduction of everything added, `undefined` if nothing was. */
  get(): DeepReadonly<T> | undefined;
  add(value: T): void;
  clear(): void;
}

/** An accumulator per key; made by `aggregating`. */
export interface AggregatingState<In, Out> {
  /** The result of everything added, `undefined` if nothing was. */
  get(): Out | undefined;
  add(value: In): void;
  clear(): void;
}

/** Incremental aggregation: constant space per key and window. */
export interface AggregateFunction<In, Acc, Out> {
  create(): Acc;
  /** May change `accumulator` in place and return it: the engine marks it as changed. */
  add(accumulator: Acc, value: In): Acc;
  /**
   * Needed for session windows, to cut sliding windows into slices, and to pre-aggregate before an
   * exchange. May change `a` in place and return it; `b` stays in use: it must not be changed, nor
   * lend changeable parts of itself to the result. The order of the parts is not that of arrival.
   */
  merge?(a: Acc, b: Acc): Acc;
  /** Default: the accumulator itself. Must not change it. */
  result?(accumulator: Acc): Out;
}

/** The kinds of keyed state. */
export type StateKind = 'value' | 'list' | 'map' | 'reducing' | 'aggregating';

declare const handleType: unique symbol;

/** Describes one keyed state; made by `value`, `list`, `map`, `reducing`, `aggregating`. */
export interface StateDescriptor<Handle> {
  readonly kind: StateKind;
  readonly options: StateOptions<unknown>;
  /** Initial value, for kind `value`. */
  readonly initial?: unknown;
  /** For kind `reducing`. */
  readonly reduce?: (a: unknown, b: unknown) => unknown;
  /** For kind `aggregating`. */
  readonly aggregate?: AggregateFunction<unknown, unknown, unknown>;
  /** Only for the compiler: the type of the handle. Never set. */
  readonly [handleType]?: Handle;
}

/** The states of a function by name; the name is the state's identity in checkpoints. */
export type StateDescriptors = Readonly<Record<string, StateDescriptor<unknown>>>;

/** What a function sees for its descriptors. */
export type StateHandles<S extends StateDescriptors> = {
  readonly [Name in keyof S]: S[Name] extends StateDescriptor<infer Handle> ? Handle : never;
};

/** One value per key, `undefined` until set. */
export function value<T>(): StateDescriptor<ValueState<T | undefined>>;
/** One value per key, `initial` until set; all keys share `initial`: it must not be changed. */
export function value<T>(initial: T, options?: StateOptions<T>): StateDescriptor<ValueState<T>>;
export function value(
  initial?: unknown,
  options: StateOptions<unknown> = {},
): StateDescriptor<ValueState<unknown>> {
  return { kind: 'value', options, initial };
}

/** A list per key; adding costs O(1) and writes only the new element at the next checkpoint. */
export function list<T>(options: StateOptions<T> = {}): StateDescriptor<ListState<T>> {
  return { kind: 'list', options };
}

/** A map per key; each entry is stored, expires and is written by itself. */
export function map<K extends Key, V>(
  options: StateOptions<V> = {},
): StateDescriptor<MapState<K, V>> {
  return { kind: 'map', options };
}

/** One value per key: the reduction of what was added. */
export function reducing<T>(
  reduce: (a: T, b: T) => T,
  options: StateOptions<T> = {},
): StateDescriptor<ReducingState<T>> {
  return { kind: 'reducing', options, reduce: reduce as (a: unknown, b: unknown) => unknown };
}

/** One accumulator per key. */
export function aggregating<In, Acc, Out = Acc>(
  aggregate: AggregateFunction<In, Acc, Out>,
  options: StateOptions<Acc> = {},
): StateDescriptor<AggregatingState<In, Out>> {
  return {
    kind: 'aggregating',
    options,
    aggregate: aggregate as AggregateFunction<unknown, unknown, unknown>,
  };
}
