import type { Key } from '../element/key.ts';
import type { FunctionContext, TypeHint, Emitter } from './process-function.ts';
import type { StateDescriptors, StateHandles } from '../state/descriptors.ts';

/** A window of time, `[startMs, endMs)`. The global window is `[-Infinity, Infinity)`. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** How records are put into windows; made by `tumbling`, `sliding`, `session`, ... */
export type WindowAssigner<T = unknown> =
  | {
      readonly kind: 'tumbling';
      readonly sizeMs: number;
      readonly offsetMs: number;
      readonly time: TimeDomain;
    }
  | {
      readonly kind: 'sliding';
      readonly sizeMs: number;
      readonly slideMs: number;
      readonly offsetMs: number;
      readonly time: TimeDomain;
    }
  | { readonly kind: 'session'; readonly gapMs: number; readonly time: TimeDomain }
  | {
      readonly kind: 'dynamicSession';
      readonly gapMs: (value: T) => number;
      readonly time: TimeDomain;
    }
  | { readonly kind: 'global'; readonly fire: 'never' | 'endOfStream' };

/** Which time a window goes by: the timestamps of its records, or the clock. */
export type TimeDomain = 'event' | 'processing';

/** What a trigger decides: whether the window's result goes out, and whether its content goes. */
export type TriggerResult = 'continue' | 'fire' | 'purge' | 'fireAndPurge';

/** What a trigger sees: one key and one window. Its state and timers live as long as the window. */
export interface TriggerContext<S extends StateDescriptors = StateDescriptors> {
  now(): number;
  readonly watermarkMs: number;
  readonly state: StateHandles<S>;
  registerEventTime(timeMs: number): void;
  registerProcessingTime(timeMs: number): void;
  deleteEventTime(timeMs: number): void;
  deleteProcessingTime(timeMs: number): void;
}

/** Decides when a window fires. Anyone can write one; the built-in ones are in `triggers`. */
export interface Trigger<T = unknown, S extends StateDescriptors = StateDescriptors> {
  readonly name: string;
  /** State per key and window; kinds `value` and `reducing`. */
  readonly state?: S;
  onRecord(
    value: T,
    timestampMs: number,
    window: Window,
    context: TriggerContext<S>,
  ): TriggerResult;
  onEventTime(timeMs: number, window: Window, context: TriggerContext<S>): TriggerResult;
  onProcessingTime(timeMs: number, window: Window, context: TriggerContext<S>): TriggerResult;
  /** Session windows need it: called on the merged window after the states have been merged. */
  onMerge?(window: Window, context: TriggerContext<S>): void;
  /** The window goes: delete the timers that were registered. State goes by itself. */
  clear(window: Window, context: TriggerContext<S>): void;
}

/** A record kept by a window that needs all of them. */
export interface WindowElement<T> {
  readonly value: T;
  readonly timestampMs: number;
}

/** Removes records from a window before or after its function is called. */
export interface Evictor<T = unknown> {
  readonly name: string;
  /** @returns what is kept, in order */
  evictBefore?(
    elements: readonly WindowElement<T>[],
    window: Window,
    context: FunctionContext,
  ): readonly WindowElement<T>[];
  evictAfter?(
    elements: readonly WindowElement<T>[],
    window: Window,
    context: FunctionContext,
  ): readonly WindowElement<T>[];
}

/** What a window emits unless told otherwise. */
export interface WindowResult<K extends Key, V> {
  readonly key: K;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  readonly value: V;
}

/** What a window function sees. The object is reused: do not keep it beyond the call. */
export interface WindowContext<K extends Key, S extends StateDescriptors, Out>
  extends FunctionContext,
    Emitter<Out> {
  readonly key: K;
  readonly window: Window;
  /** State per key and window, cleared with the window. */
  readonly windowState: StateHandles<S>;
  /** State per key, over all its windows. */
  readonly state: StateHandles<S>;
}

/** Called with everything in the window, or with one value: the aggregate. */
export interface WindowFunction<K extends Key, In, Out, S extends StateDescriptors> {
  /** The same descriptors serve `windowState` and `state`. */
  readonly state?: S;
  readonly output?: TypeHint<Out>;
  onWindow(values: Iterable<In>, context: WindowContext<K, S, Out>): void;
}
