import type { Key } from '../element/key.ts';
import { InvalidOptionError } from '../base/invalid-option-error.ts';
import type {
  AsyncFunction,
  AsyncFunctionOptions,
  BroadcastDescriptor,
  OperatorStates,
  ProcessFunction,
  SideOutputTag,
} from '../function/process-function.ts';
import type { Sink } from '../function/sink.ts';
import { InvalidJobError } from '../graph/job-errors.ts';
import { isOperatorName, OPERATOR_NAME_RULE } from '../graph/name-rules.ts';
import type { KeySelector, OperatorSpec } from '../graph/operator-spec.ts';
import type { Partitioning } from '../graph/stream-graph.ts';
import type { OperatorDraft, StreamGraphBuilder, Upstream } from '../graph/stream-graph-builder.ts';
import { checkAsyncOptions } from './async-options.ts';
import { BroadcastStream } from './broadcast-stream.ts';
import { BroadcastConnectedStreams } from './broadcast-connected-streams.ts';
import { type EventTimeOptions, watermarkStrategyOf } from './event-time.ts';
import { type FlatMapFunction, flatMapOf } from './flat-map.ts';
import { KeyedStream } from './keyed-stream.ts';
import { setChaining, setName, setSize } from './operator-settings.ts';
import { SinkHandle } from './sink-handle.ts';
import { erase } from './type-erasure.ts';

/** The element type of a stream. */
export type ElementOf<S> = S extends DataStream<infer T> ? T : never;

/**
 * Records of type `T` on their way. A stream is a description: nothing runs before the job does.
 * It may be used any number of times; each use gets every record.
 *
 * Functions are synchronous and must not change the values they are given.
 */
export class DataStream<out T> {
  /** For the engine: what belongs to the graph under construction. */
  readonly builder: StreamGraphBuilder;
  /** For the engine: the outputs that feed this stream. */
  readonly upstreams: readonly Upstream[];

  /** Streams come from `flow.from` and from each other. */
  constructor(builder: StreamGraphBuilder, upstreams: readonly Upstream[]) {
    this.builder = builder;
    this.upstreams = upstreams;
  }

  /** One record for each. */
  map<Out>(map: (value: T) => Out): OperatorStream<Out> {
    return this.#stateless({ kind: 'map', map: erase(map) });
  }

  /** The records that `filter` says true to; a type guard narrows the stream. */
  filter<Narrowed extends T>(filter: (value: T) => value is Narrowed): OperatorStream<Narrowed>;
  filter(filter: (value: T) => boolean): OperatorStream<T>;
  filter(filter: (value: T) => boolean): OperatorStream<T> {
    return this.#stateless({ kind: 'filter', filter: erase(filter) });
  }

  /**
   * Any number of records for each: those that `flatMap` returns, or those it emits. TypeScript
   * infers the type of what is returned; for `emit` write it: `(line, emit: Emit<Word>) => ...`.
   */
  flatMap<Out = never>(flatMap: FlatMapFunction<T, Out>): OperatorStream<Out> {
    return this.#stateless({ kind: 'flatMap', flatMap: flatMapOf(flatMap) });
  }

  /** A function with context, side outputs and state of its subtask, but without a key. */
  process<Out = never, L extends OperatorStates = {}>(
    uid: string,
    process: ProcessFunction<T, Out, L>,
  ): OperatorStream<Out> {
    return this.#stateful(uid, { kind: 'process', process: erase(process) });
  }

  /**
   * Calls something asynchronous for each record: the only place where a promise may be returned.
   * Inputs in flight are in checkpoints and are called again after a failure.
   *
   * @throws InvalidOptionError
   */
  mapAsync<Out>(
    uid: string,
    call: AsyncFunction<T, Out>,
    options: AsyncFunctionOptions<T, NoInfer<Out>> = {},
  ): OperatorStream<Out> {
    checkAsyncOptions(options);
    return this.#stateful(uid, { kind: 'mapAsync', call: erase(call), options: erase(options) });
  }

  /**
   * Reads event time from the records and makes watermarks. On a source it belongs there: each
   * split then has watermarks of its own. Elsewhere they are made per subtask.
   *
   * @throws InvalidOptionError
   */
  eventTime(options: EventTimeOptions<T>): OperatorStream<T> {
    if (options.alignment !== undefined) {
      throw new InvalidOptionError('alignment', 'set', 'needs eventTime directly on a source');
    }
    const watermarks = watermarkStrategyOf(options);
    return this.#stateless({ kind: 'assignTimestamps', watermarks: erase(watermarks) });
  }

  /** Partitions by key: all records of a key reach the same subtask, in order per sender. */
  keyBy<const K extends Key>(keyOf: (value: T) => K): KeyedStream<T, K> {
    const erased: KeySelector = erase(keyOf);
    const hashed = this.#partitioned({ kind: 'hash', keyOf: erased });
    return new KeyedStream(this.builder, hashed, erased);
  }

  /** The records of several streams in one. Per input they stay in order. */
  union<Others extends readonly DataStream<unknown>[]>(
    ...others: Others
  ): DataStream<T | ElementOf<Others[number]>> {
    const upstreams = [this.upstreams, ...others.map((other) => other.upstreams)].flat();
    return new DataStream(this.builder, upstreams);
  }

  /** Joins a stream of rules, which every subtask gets in full. */
  connect<B, BK extends Key, BV>(
    rules: BroadcastStream<B, BK, BV>,
  ): BroadcastConnectedStreams<T, B, BK, BV> {
    return new BroadcastConnectedStreams(this.builder, this.upstreams, rules);
  }

  /** Subtask to subtask; the operators must have equal parallelism. */
  forward(): DataStream<T> {
    return this.#repartition({ kind: 'forward', required: true });
  }

  /** Like `keyBy`, but the stream has no key afterwards: for what must see all records of one. */
  hash(keyOf: (value: T) => Key): DataStream<T> {
    return this.#repartition({ kind: 'hash', keyOf: erase(keyOf) });
  }

  /** Round robin over all subtasks: evens out skew. */
  rebalance(): DataStream<T> {
    return this.#repartition({ kind: 'rebalance' });
  }

  /** Round robin over the near subtasks only: fewer channels than `rebalance`. */
  rescale(): DataStream<T> {
    return this.#repartition({ kind: 'rescale' });
  }

  /** Every subtask gets every record. */
  broadcast(): DataStream<T>;
  /** Rules for a broadcast state: `connect` them with another stream. */
  broadcast<BK extends Key, BV>(state: BroadcastDescriptor<BK, BV>): BroadcastStream<T, BK, BV>;
  broadcast<BK extends Key, BV>(
    state?: BroadcastDescriptor<BK, BV>,
  ): DataStream<T> | BroadcastStream<T, BK, BV> {
    const everywhere = this.#partitioned({ kind: 'broadcast' });
    return state === undefined
      ? new DataStream<T>(this.builder, everywhere)
      : new BroadcastStream<T, BK, BV>(everywhere, state);
  }

  /**
   * A partitioning of your own.
   *
   * @param name shown in plans; part of the job's structure
   * @param partition returns a subtask, 0 to `parallelism` - 1; deterministic
   */
  partitionCustom(
    name: string,
    partition: (value: T, parallelism: number) => number,
  ): DataStream<T> {
    checkName(this.builder, name, 'a partitioning');
    return this.#repartition({ kind: 'custom', name, partition: erase(partition) });
  }

  /** Ends in a sink. */
  to(uid: string, sink: Sink<T>): SinkHandle {
    const operator = this.builder.add(uidOf(uid), { kind: 'sink', sink: erase(sink) }, [
      this.upstreams,
    ]);
    return new SinkHandle(this.builder, operator);
  }

  #stateless<Out>(spec: OperatorSpec): OperatorStream<Out> {
    return new OperatorStream(this.builder, this.builder.add(null, spec, [this.upstreams]));
  }

  #stateful<Out>(uid: string, spec: OperatorSpec): OperatorStream<Out> {
    return new OperatorStream(this.builder, this.builder.add(uidOf(uid), spec, [this.upstreams]));
  }

  #repartition(partitioning: Partitioning): DataStream<T> {
    return new DataStream(this.builder, this.#partitioned(partitioning));
  }

  #partitioned(partitioning: Partitioning): readonly Upstream[] {
    return this.upstreams.map((upstream) => ({ ...upstream, partitioning }));
  }
}

/** The output of an operator, and the operator's settings. */
export class OperatorStream<T> extends DataStream<T> {
  /** For the engine: the operator in the graph. */
  readonly operator: OperatorDraft;

  constructor(builder: StreamGraphBuilder, operator: OperatorDraft) {
    super(builder, [{ operator, sideOutput: null, partitioning: { kind: 'forward' } }]);
    this.operator = operator;
  }

  /** Shown in plans and metrics instead of the uid; plays no part in anything else. */
  name(name: string): this {
    setName(this.builder, this.operator, name);
    return this;
  }

  /** Number of subtasks. Default: the job's. @throws InvalidJobError */
  parallelism(parallelism: number): this {
    setSize(this.builder, this.operator, 'parallelism', parallelism);
    return this;
  }

  /**
   * Number of key groups and upper bound of the parallelism at any later restart; a restored job
   * cannot change it. @throws InvalidJobError
   */
  maxParallelism(maxParallelism: number): this {
    setSize(this.builder, this.operator, 'maxParallelism', maxParallelism);
    return this;
  }

  /** Begins a chain: runs in tasks other than the operator before it. */
  startNewChain(): this {
    setChaining(this.builder, this.operator, 'head');
    return this;
  }

  /** Runs in tasks of its own, without those before and after it. */
  disableChaining(): this {
    setChaining(this.builder, this.operator, 'never');
    return this;
  }

  /**
   * What the operator's function put out with `context.side(tag, ...)`.
   *
   * @throws InvalidJobError if the operator has no function that could
   */
  sideOutput<Side>(tag: SideOutputTag<Side>): DataStream<Side> {
    const { spec, uid } = this.operator;
    checkName(this.builder, tag.sideOutput, 'a side output');
    const hasFunction = WITH_SIDE_OUTPUTS.has(spec.kind);
    if (hasFunction) return this.outputNamed(tag.sideOutput);
    throw new InvalidJobError(
      `operator "${uid}" is a ${spec.kind}, which has no side outputs`,
      { job: this.builder.jobName, operatorUid: uid },
      { hint: 'Use process, whose context has side(tag, value).' },
    );
  }

  /** For the engine: a side output by name. */
  protected outputNamed<Side>(sideOutput: string): DataStream<Side> {
    const { builder, operator } = this;
    return new DataStream(builder, [{ operator, sideOutput, partitioning: { kind: 'forward' } }]);
  }
}

const WITH_SIDE_OUTPUTS: ReadonlySet<OperatorSpec['kind']> = new Set([
  'process',
  'keyedProcess',
  'keyedCoProcess',
  'keyedBroadcastProcess',
  'broadcastProcess',
  'window',
  'intervalJoin',
  'windowJoin',
]);

// With '#', so that no side output of the user's can have the name.
const LATE_OUTPUT = 'late#records';

/** Results of windows; `In` is the type of the records that went in. */
export class WindowResultStream<T, In> extends OperatorStream<T> {
  /**
   * The records that came too late for every window they belong to. Unless it is asked for, they
   * are counted and dropped.
   */
  late(): DataStream<In> {
    const { builder, operator } = this;
    builder.assertOpen(operator.uid);
    const { spec } = operator;
    if (spec.kind === 'window') {
      operator.spec = { ...spec, window: { ...spec.window, lateOutput: LATE_OUTPUT } };
    }
    return this.outputNamed(LATE_OUTPUT);
  }
}

/** A uid as it stands; left out (by an untyped caller), it is not a made one but a wrong one. */
export function uidOf(uid: string): string {
  return typeof uid === 'string' ? uid : String(uid ?? '');
}

function checkName(builder: StreamGraphBuilder, name: string, what: string): void {
  if (isOperatorName(name)) return;
  throw new InvalidJobError(
    `"${String(name)}" cannot be the name of ${what}`,
    { job: builder.jobName },
    { hint: `A name is made of ${OPERATOR_NAME_RULE}.` },
  );
}
