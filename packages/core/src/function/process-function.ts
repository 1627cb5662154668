import type { Key } from '../element/key.ts';
import type {
  BroadcastState,
  OperatorListState,
  ReadonlyBroadcastState,
} from '../state/operator-state.ts';
import type { StateDescriptors, StateHandles } from '../state/descriptors.ts';

declare const typeMark: unique symbol;

/** Carries a type for the compiler; made by `type<T>()`. Has no content. */
export interface TypeHint<T> {
  readonly [typeMark]?: T;
}

/** Tells the compiler what a function emits: TypeScript cannot infer it from calls of `emit`. */
export function type<T>(): TypeHint<T> {
  return {};
}

/** Names a side output; made by `sideOutput`. Two tags of one name are the same output. */
export interface SideOutputTag<T> extends TypeHint<T> {
  readonly sideOutput: string;
}

/** @param name unique within the operator */
export function sideOutput<T>(name: string): SideOutputTag<T> {
  return { sideOutput: name };
}

/** Registers timers of the current key. A timer is one per key and time, and is in checkpoints. */
export interface Timers {
  /** Fires once the watermark is at or beyond `timeMs`; if it is already, at the next watermark. */
  registerEventTime(timeMs: number): void;
  /** Fires once the clock is at or beyond `timeMs`. */
  registerProcessingTime(timeMs: number): void;
  deleteEventTime(timeMs: number): void;
  deleteProcessingTime(timeMs: number): void;
}

/** What every function may see. The object is reused: do not keep it beyond the call. */
export interface FunctionContext {
  /** Processing time, milliseconds since 1970; virtual in tests. */
  now(): number;
  /** The operator's current watermark; -Infinity before the first. */
  readonly watermarkMs: number;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  /** A user counter, shown among the operator's metrics. */
  count(name: string, by?: number): void;
}

/** Emits. The timestamp defaults to that of the record or timer being handled. */
export interface Emitter<Out> {
  emit(value: Out, timestampMs?: number): void;
  side<T>(tag: SideOutputTag<T>, value: T, timestampMs?: number): void;
}

/** What a function sees while it handles a record. */
export interface ProcessContext<Out> extends FunctionContext, Emitter<Out> {
  /** NaN if the record has none. */
  readonly timestampMs: number;
}

/** The same on a keyed stream: key, state and timers of that key. */
export interface KeyedContext<K extends Key, S extends StateDescriptors, Out>
  extends ProcessContext<Out> {
  readonly key: K;
  readonly state: StateHandles<S>;
  readonly timers: Timers;
}

/** What `onTimer` sees; `timestampMs` is the timer's time. */
export interface TimerContext<K extends Key, S extends StateDescriptors, Out>
  extends KeyedContext<K, S, Out> {
  readonly domain: 'event' | 'processing';
}

/** A function without a key. */
export interface ProcessFunction<In, Out, L extends OperatorStates = OperatorStates> {
  readonly output?: TypeHint<Out>;
  /** Lists of the operator; see `operatorList`. */
  readonly operatorState?: L;
  open?(context: ProcessContext<Out> & { readonly lists: OperatorStateHandles<L> }): void;
  onRecord(
    value: In,
    context: ProcessContext<Out> & { readonly lists: OperatorStateHandles<L> },
  ): void;
  /** The input has ended; may emit. Not called on a stop without drain. */
  onEnd?(context: ProcessContext<Out> & { readonly lists: OperatorStateHandles<L> }): void;
}

/** Describes a list in operator state; made by `operatorList`. */
export interface OperatorListDescriptor<T> extends TypeHint<T> {
  readonly redistribution: 'split' | 'union';
}
/** The operator lists of a function by name; the name is their identity in checkpoints. */
export type OperatorStates = Readonly<Record<string, OperatorListDescriptor<unknown>>>;
/** What a function sees for its operator lists. */
export type OperatorStateHandles<L extends OperatorStates> = {
  readonly [Name in keyof L]: L[Name] extends OperatorListDescriptor<infer T>
    ? OperatorListState<T>
    : never;
};

/** `split`: elements are dealt out evenly at a rescale; `union`: every subtask gets all. */
export function operatorList<T>(
  redistribution: 'split' | 'union' = 'split',
): OperatorListDescriptor<T> {
  return { redistribution };
}

/** A function on a keyed stream: state and timers per key. All callbacks are synchronous. */
export interface KeyedProcessFunction<K extends Key, In, Out, S extends StateDescriptors> {
  readonly state?: S;
  readonly output?: TypeHint<Out>;
  onRecord(value: In, context: KeyedContext<K, S, Out>): void;
  onTimer?(timeMs: number, context: TimerContext<K, S, Out>): void;
}

/** Two inputs with one key type and shared state. */
export interface KeyedCoProcessFunction<K extends Key, In1, In2, Out, S extends StateDescriptors> {
  readonly state?: S;
  readonly output?: TypeHint<Out>;
  onRecord1(value: In1, context: KeyedContext<K, S, Out>): void;
  onRecord2(value: In2, context: KeyedContext<K, S, Out>): void;
  onTimer?(timeMs: number, context: TimerContext<K, S, Out>): void;
}

/** Describes a broadcast state; made by `broadcastMap`. */
export interface BroadcastDescriptor<K, V> extends TypeHint<[K, V]> {
  readonly broadcast: string;
}

/** @param name identity of the state in checkpoints */
export function broadcastMap<K extends Key, V>(name: string): BroadcastDescriptor<K, V> {
  return { broadcast: name };
}

/**
 * Keyed records against rules that every subtask holds alike. The broadcast side may change the
 * rules but has no key: touching keyed state there fails always (Flink: only before the first
 * keyed record), except through `applyToKeys`.
 */
export interface KeyedBroadcastProcessFunction<
  K extends Key,
  In,
  B,
  Out,
  S extends StateDescriptors,
  BK,
  BV,
> {
  readonly state?: S;
  readonly output?: TypeHint<Out>;
  onRecord(
    value: In,
    context: KeyedContext<K, S, Out> & { readonly broadcast: ReadonlyBroadcastState<BK, BV> },
  ): void;
  onBroadcast(
    value: B,
    context: ProcessContext<Out> & {
      readonly broadcast: BroadcastState<BK, BV>;
      /** Visits every key that holds the named state. Cost: O(keys). */
      applyToKeys<N extends keyof S & string>(
        stateName: N,
        visit: (key: K, state: StateHandles<S>[N]) => void,
      ): void;
    },
  ): void;
  onTimer?(
    timeMs: number,
    context: TimerContext<K, S, Out> & { readonly broadcast: ReadonlyBroadcastState<BK, BV> },
  ): void;
}

/** The same without keys. */
export interface BroadcastProcessFunction<In, B, Out, BK, BV> {
  readonly output?: TypeHint<Out>;
  onRecord(
    value: In,
    context: ProcessContext<Out> & { readonly broadcast: ReadonlyBroadcastState<BK, BV> },
  ): void;
  onBroadcast(
    value: B,
    context: ProcessContext<Out> & { readonly broadcast: BroadcastState<BK, BV> },
  ): void;
}

/** Asynchronous enrichment, with its own operator: the only place where a promise is allowed. */
export interface AsyncFunctionOptions<In, Out> {
  /** Default `ordered`; `unordered` overtakes records, never watermarks. */
  readonly order?: 'ordered' | 'unordered';
  /** Inputs in flight per subtask; when full the input waits. Default 100. */
  readonly capacity?: number;
  /** Per input, over all its retries. Default: no limit. */
  readonly timeoutMs?: number;
  /** Default `fail`. `fallback` calls `fallback`; `drop` emits nothing for that input. */
  readonly onTimeout?: 'fail' | 'fallback' | 'drop';
  readonly fallback?: (value: In) => readonly Out[];
  readonly retry?: AsyncRetryOptions;
}

/** How often and when a failed asynchronous call is made again. */
export interface AsyncRetryOptions {
  /** Calls in all, 1 or more. */
  readonly maxAttempts: number;
  readonly delayMs: number;
  /** Delay grows by this factor per retry. Default 1. */
  readonly multiplier?: number;
  /** Which errors are worth another call. Default: all. */
  readonly retryIf?: (error: unknown) => boolean;
}

/** @returns the outputs of one input; `signal` is aborted on time-out and at the end */
export type AsyncFunction<In, Out> = (
  value: In,
  context: { readonly signal: AbortSignal },
) => Promise<Out>;
