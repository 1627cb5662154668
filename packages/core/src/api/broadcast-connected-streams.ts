import type { Key } from '../element/key.ts';
import type {
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
} from '../function/process-function.ts';
import type { KeySelector } from '../graph/operator-spec.ts';
import type { StreamGraphBuilder, Upstream } from '../graph/stream-graph-builder.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import type { BroadcastStream } from './broadcast-stream.ts';
import { OperatorStream, uidOf } from './data-stream.ts';
import { erase } from './type-erasure.ts';

/** A stream and the rules it is judged by. */
export class BroadcastConnectedStreams<T, B, BK extends Key, BV> {
  readonly #builder: StreamGraphBuilder;
  readonly #upstreams: readonly Upstream[];
  readonly #rules: BroadcastStream<B, BK, BV>;
  /** Only for the compiler. Never set. */
  declare readonly elementType?: T;

  /** Made by `stream.connect(rules)`. */
  constructor(
    builder: StreamGraphBuilder,
    upstreams: readonly Upstream[],
    rules: BroadcastStream<B, BK, BV>,
  ) {
    this.#builder = builder;
    this.#upstreams = upstreams;
    this.#rules = rules;
  }

  /** Records read the rules, rules change them. */
  process<Out = never>(
    uid: string,
    process: BroadcastProcessFunction<T, B, Out, BK, BV>,
  ): OperatorStream<Out> {
    const operator = this.#builder.add(
      uidOf(uid),
      {
        kind: 'broadcastProcess',
        stateName: this.#rules.state.broadcast,
        process: erase(process),
      },
      [this.#upstreams, this.#rules.upstreams],
    );
    return new OperatorStream(this.#builder, operator);
  }
}

/** A keyed stream and the rules it is judged by. */
export class KeyedBroadcastConnectedStreams<T, K extends Key, B, BK extends Key, BV> {
  readonly #builder: StreamGraphBuilder;
  readonly #upstreams: readonly Upstream[];
  readonly #keyOf: KeySelector;
  readonly #rules: BroadcastStream<B, BK, BV>;
  /** Only for the compiler. Never set. */
  declare readonly elementType?: readonly [K, T];

  /** Made by `keyed.connect(rules)`. */
  constructor(
    builder: StreamGraphBuilder,
    upstreams: readonly Upstream[],
    keyOf: KeySelector,
    rules: BroadcastStream<B, BK, BV>,
  ) {
    this.#builder = builder;
    this.#upstreams = upstreams;
    this.#keyOf = keyOf;
    this.#rules = rules;
  }

  /** Records have keyed state and timers and read the rules; rules have no key and change them. */
  process<Out = never, S extends StateDescriptors = {}>(
    uid: string,
    process: KeyedBroadcastProcessFunction<K, T, B, Out, S, BK, BV>,
  ): OperatorStream<Out> {
    const operator = this.#builder.add(
      uidOf(uid),
      {
        kind: 'keyedBroadcastProcess',
        keyOf: this.#keyOf,
        stateName: this.#rules.state.broadcast,
        process: erase(process),
      },
      [this.#upstreams, this.#rules.upstreams],
    );
    return new OperatorStream(this.#builder, operator);
  }
}
