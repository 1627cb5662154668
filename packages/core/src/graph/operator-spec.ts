import type { Key } from '../element/key.ts';
import type {
  CoGroupFunction,
  IntervalJoinFunction,
  JoinInterval,
} from '../function/join-function.ts';
import type {
  AsyncFunction,
  AsyncFunctionOptions,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
} from '../function/process-function.ts';
import type { Sink } from '../function/sink.ts';
import type { Source } from '../function/source.ts';
import type { WatermarkStrategy } from '../function/watermark-strategy.ts';
import type { Evictor, Trigger, WindowAssigner, WindowFunction } from '../function/window.ts';
import type { AggregateFunction, StateDescriptors } from '../state/descriptors.ts';

// Types are erased here: the API has checked them. `any` in functions would leak to callers, so
// values are `unknown` and the API casts once, where it builds a spec.

/** The key of a record; must be deterministic. */
export type KeySelector = (value: unknown) => Key;

/** How the records of a window become results. */
export type WindowBody =
  | { readonly kind: 'reduce'; readonly reduce: (a: unknown, b: unknown) => unknown }
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateFunction<unknown, unknown, unknown> }
  | { readonly kind: 'collect' };

/** A window operator in full. */
export interface WindowSpec {
  readonly keyOf: KeySelector;
  readonly assigner: WindowAssigner;
  /** Default: that of the assigner. */
  readonly trigger: Trigger | null;
  readonly evictor: Evictor | null;
  readonly allowedLatenessMs: number;
  /** Name of the side output for late records; null: counted and dropped. */
  readonly lateOutput: string | null;
  readonly body: WindowBody;
  /** null: emits `WindowResult` (bodies reduce and aggregate). */
  readonly windowFunction: WindowFunction<Key, unknown, unknown, StateDescriptors> | null;
}

/** How the records of both sides of a window become results. */
export type WindowJoinBody =
  /** One result per pair; no result without a partner. */
  | { readonly kind: 'join'; readonly join: (left: unknown, right: unknown) => unknown }
  | {
      readonly kind: 'coGroup';
      readonly coGroup: CoGroupFunction<Key, unknown, unknown, unknown>;
    };

/** What an operator does, as data: enough to make its runtime object on any thread or host. */
export type OperatorSpec =
  | {
      readonly kind: 'source';
      readonly source: Source<unknown>;
      readonly watermarks: WatermarkStrategy<unknown> | null;
    }
  | { readonly kind: 'map'; readonly map: (value: unknown) => unknown }
  | { readonly kind: 'filter'; readonly filter: (value: unknown) => boolean }
  | {
      readonly kind: 'flatMap';
      readonly flatMap: (value: unknown, emit: (value: unknown) => void) => void;
    }
  | { readonly kind: 'assignTimestamps'; readonly watermarks: WatermarkStrategy<unknown> }
  | { readonly kind: 'process'; readonly process: ProcessFunction<unknown, unknown> }
  | {
      readonly kind: 'keyedProcess';
      readonly keyOf: KeySelector;
      readonly process: KeyedProcessFunction<Key, unknown, unknown, StateDescriptors>;
    }
  | {
      readonly kind: 'keyedReduce';
      readonly keyOf: KeySelector;
      readonly reduce: (a: unknown, b: unknown) => unknown;
    }
  | {
      readonly kind: 'keyedCoProcess';
      readonly keyOf1: KeySelector;
      readonly keyOf2: KeySelector;
      readonly process: KeyedCoProcessFunction<Key, unknown, unknown, unknown, StateDescriptors>;
    }
  | {
      readonly kind: 'keyedBroadcastProcess';
      readonly keyOf: KeySelector;
      readonly stateName: string;
      readonly process: KeyedBroadcastProcessFunction<
        Key,
        unknown,
        unknown,
        unknown,
        StateDescriptors,
        unknown,
        unknown
      >;
    }
  | {
      readonly kind: 'broadcastProcess';
      readonly stateName: string;
      readonly process: BroadcastProcessFunction<unknown, unknown, unknown, unknown, unknown>;
    }
  | { readonly kind: 'window'; readonly window: WindowSpec }
  | {
      readonly kind: 'mapAsync';
      readonly call: AsyncFunction<unknown, unknown>;
      readonly options: AsyncFunctionOptions<unknown, unknown>;
    }
  | {
      readonly kind: 'intervalJoin';
      readonly keyOf1: KeySelector;
      readonly keyOf2: KeySelector;
      readonly interval: JoinInterval;
      /** Names of side outputs for late records; null: counted and dropped. */
      readonly lateOutputs: { readonly left: string | null; readonly right: string | null };
      readonly join: IntervalJoinFunction<unknown, unknown, unknown>;
    }
  | {
      readonly kind: 'windowJoin';
      readonly keyOf1: KeySelector;
      readonly keyOf2: KeySelector;
      /** Its functions see the records of either side. */
      readonly assigner: WindowAssigner;
      readonly trigger: Trigger | null;
      readonly allowedLatenessMs: number;
      readonly body: WindowJoinBody;
    }
  | { readonly kind: 'sink'; readonly sink: Sink<unknown> };

/** What an operator is, in one word. */
export type OperatorKind = OperatorSpec['kind'];
