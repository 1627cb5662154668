import type { Key } from '../element/key.ts';
import type { KeyedProcessFunction } from '../function/process-function.ts';
import {
  type ExpandedWindow,
  expandWindow,
  type WindowDefinition,
} from '../function/window-assigners.ts';
import type { WindowAssigner } from '../function/window.ts';
import type { KeySelector, OperatorSpec } from '../graph/operator-spec.ts';
import type { StreamGraphBuilder, Upstream } from '../graph/stream-graph-builder.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import { KeyedBroadcastConnectedStreams } from './broadcast-connected-streams.ts';
import { BroadcastStream } from './broadcast-stream.ts';
import { ConnectedStreams } from './connected-streams.ts';
import { OperatorStream, uidOf } from './data-stream.ts';
import {
  IntervalJoinedStreams,
  type IntervalJoinOptions,
  WindowJoinedStreams,
} from './joined-streams.ts';
import { erase } from './type-erasure.ts';
import { WindowedStream } from './windowed-stream.ts';

/** Records of type `T` partitioned by keys of type `K`: what follows may have state per key. */
export class KeyedStream<T, K extends Key> {
  /** For the engine: what belongs to the graph under construction. */
  readonly builder: StreamGraphBuilder;
  /** For the engine: the outputs that feed this stream, partitioned by the key. */
  readonly upstreams: readonly Upstream[];
  /** For the engine: the key selector, without its types. */
  readonly keyOf: KeySelector;
  /** Only for the compiler. Never set. */
  declare readonly elementType?: readonly [K, T];

  /** Made by `stream.keyBy(...)`. */
  constructor(builder: StreamGraphBuilder, upstreams: readonly Upstream[], keyOf: KeySelector) {
    this.builder = builder;
    this.upstreams = upstreams;
    this.keyOf = keyOf;
  }

  /**
   * A function with state and timers per key.
   *
   * @param uid identity of the state in checkpoints: keep it when the job changes
   */
  process<Out = never, S extends StateDescriptors = {}>(
    uid: string,
    process: KeyedProcessFunction<K, T, Out, S>,
  ): OperatorStream<Out> {
    return this.#operator(uid, {
      kind: 'keyedProcess',
      keyOf: this.keyOf,
      process: erase(process),
    });
  }

  /** For every record the reduction of all records of its key so far. */
  reduce(uid: string, reduce: (reduced: T, value: T) => T): OperatorStream<T> {
    return this.#operator(uid, { kind: 'keyedReduce', keyOf: this.keyOf, reduce: erase(reduce) });
  }

  /** Puts records into windows per key: `tumbling`, `sliding`, `session`, `countWindow`, ... */
  window(window: WindowDefinition<T>): WindowedStream<T, K> {
    const expanded: ExpandedWindow<unknown> = erase(expandWindow(window));
    return new WindowedStream(this, { ...expanded, allowedLatenessMs: 0 });
  }

  /** Joins another keyed stream with keys of the same type. */
  connect<U>(other: KeyedStream<U, K>): ConnectedStreams<T, U, K>;
  /** Joins a stream of rules, which every subtask gets in full. */
  connect<B, BK extends Key, BV>(
    rules: BroadcastStream<B, BK, BV>,
  ): KeyedBroadcastConnectedStreams<T, K, B, BK, BV>;
  connect<U, BK extends Key, BV>(
    other: KeyedStream<U, K> | BroadcastStream<U, BK, BV>,
  ): ConnectedStreams<T, U, K> | KeyedBroadcastConnectedStreams<T, K, U, BK, BV> {
    return other instanceof BroadcastStream
      ? new KeyedBroadcastConnectedStreams(this.builder, this.upstreams, this.keyOf, other)
      : new ConnectedStreams(this, other);
  }

  /**
   * Joins each record with those of another keyed stream whose event time is near enough:
   * `lowerMs <= right - left <= upperMs`.
   *
   * @throws InvalidOptionError
   */
  intervalJoin<U>(
    other: KeyedStream<U, K>,
    options: IntervalJoinOptions<T, U>,
  ): IntervalJoinedStreams<T, U, K> {
    return new IntervalJoinedStreams(this, other, options);
  }

  /** Joins the records of another keyed stream that fall into the same window. */
  windowJoin<U>(
    other: KeyedStream<U, K>,
    window: WindowAssigner<T | U>,
  ): WindowJoinedStreams<T, U, K> {
    const assigner: WindowAssigner = erase(window);
    const parts = { assigner, trigger: null, allowedLatenessMs: 0 };
    return new WindowJoinedStreams(this, other, parts);
  }

  #operator<Out>(uid: string, spec: OperatorSpec): OperatorStream<Out> {
    return new OperatorStream(this.builder, this.builder.add(uidOf(uid), spec, [this.upstreams]));
  }
}
