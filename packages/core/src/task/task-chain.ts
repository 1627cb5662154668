import { AssertionError, assert } from '../base/assert.ts';
import type { DeadLetter } from '../function/source.ts';
import { DEAD_LETTERS } from '../function/source.ts';
import { NO_TIMESTAMP } from '../element/time.ts';
import type { ChainedOperator } from '../graph/job-graph.ts';
import { keyGroupRangeOf } from '../element/key-group.ts';
import { MetricGroup } from '../metrics/registry.ts';
import { openKeyedStateStore } from '../state/open-keyed-state-store.ts';
import type { KeyedStateStore } from '../state/keyed-state-store.ts';
import { openOperatorStateStore } from '../state/open-operator-state-store.ts';
import type { OperatorStateStore } from '../state/operator-state.ts';
import type { OperatorListSnapshot } from '../state/snapshot.ts';
import { Chain, type ChainNode } from './chain/chain.ts';
import { generateSegment, type InlinedOperator } from './chain/generated-segment.ts';
import { PushSegment, type Segment } from './chain/segment.ts';
import { RecordWriter, type StopSignal } from './channel/record-writer.ts';
import { createOperator } from './operator/create-operator.ts';
import { NO_OUTPUT } from './chain/operator-inputs.ts';
import type { Operator, OperatorContext, Output } from './operator/operator.ts';
import { SinkOperator } from './sink/sink-operator.ts';
import { SourceOperator } from './source/source-operator.ts';
import type { RestoredOperator, TaskOptions } from './task-host.ts';

/** An operator object with its context and state; the nodes map, filter and flatMap have none. */
export interface OperatorRuntime {
  readonly node: ChainNode;
  readonly operator: Operator;
  readonly context: OperatorContext;
  /** It had finished before the snapshot that was restored: `finish` must not come again. */
  readonly restoredFinished: boolean;
  /** null if the operator never asked for keyed state. */
  keyedStore(): KeyedStateStore | null;
  operatorStateSnapshot(): OperatorListSnapshot[];
  closeState(): void;
}

/** Operators whose asynchronous work has completed since the last `take`. */
class WokenOperators {
  #woken = new Set<OperatorRuntime>();
  readonly #requestTurn: () => void;

  constructor(requestTurn: () => void) {
    this.#requestTurn = requestTurn;
  }

  get any(): boolean {
    return this.#woken.size > 0;
  }

  add(runtime: OperatorRuntime): void {
    this.#woken.add(runtime);
    this.#requestTurn();
  }

  take(): readonly OperatorRuntime[] {
    const taken = [...this.#woken];
    this.#woken.clear();
    return taken;
  }
}

/** The inside of a task: operators with their contexts, connected into a chain. */
export class TaskChain {
  readonly chain: Chain;
  readonly runtimes: readonly OperatorRuntime[];
  readonly source: SourceOperator | null;
  readonly sinks: readonly SinkOperator[];
  readonly stopSignal: StopSignal = { stop: false };
  /** By operator uid, of every node. */
  readonly metrics: ReadonlyMap<string, MetricGroup>;
  nextProcessingTimeMs = Number.POSITIVE_INFINITY;
  readonly #woken: WokenOperators;
  readonly #segments: Segment[] = [];
  readonly #blocking: readonly Operator[];
  // mapAsync takes so many records and no more. A sink may be given a whole batch (`SinkWriter`).
  readonly #askedPerRecord: readonly Operator[];
  readonly #options: TaskOptions;
  #hasKeyedState = false;

  constructor(options: TaskOptions, shouldYield: () => boolean) {
    this.#options = options;
    this.#woken = new WokenOperators(() => options.host.requestTurn());
    this.chain = new Chain({
      vertex: options.vertex,
      writers: options.outputs.map((output) => ({
        operatorUid: output.edge.from,
        sideOutput: output.edge.sideOutput,
        writer: new RecordWriter({
          channels: output.channels,
          partitioning: output.edge.partitioning,
          maxParallelism: output.maxParallelism,
          subtaskIndex: options.subtaskIndex,
          batchSize: options.settings.batchSize,
          stopSignal: this.stopSignal,
        }),
      })),
      makeOperator: (chained) => this.#makeOperator(chained),
      freezeValues: options.settings.freezeValues,
    });
    this.metrics = new Map(
      this.chain.nodes.map((node) => [node.uid, nodeMetrics(node, this.chain.nodes)]),
    );
    this.runtimes = this.chain.nodes
      .filter((node) => node.operator !== null)
      .map((node) => this.#runtime(node, shouldYield));
    const operators = this.runtimes.map((runtime) => runtime.operator);
    this.source = operators.find((one) => one instanceof SourceOperator) ?? null;
    this.sinks = operators.filter((one) => one instanceof SinkOperator);
    this.#blocking = operators.filter((one) => one.isBlocked !== undefined);
    this.#askedPerRecord = this.#blocking.filter((one) => !(one instanceof SinkOperator));
  }

  get inputCount(): number {
    return this.chain.head.inputs.length;
  }

  get isWoken(): boolean {
    return this.#woken.any;
  }

  /** The operators to be given `onWake`. */
  takeWoken(): readonly OperatorRuntime[] {
    return this.#woken.take();
  }

  /** The loop for input 0 or 1, or -1 for what a source has polled. The operators are open. */
  segment(input: number): Segment {
    const at = Math.max(input, 0);
    const { head } = this.chain;
    this.#segments[at] ??= this.#makeSegment(input < 0 ? head.output : head.inputs[at]!);
    return this.#segments[at];
  }

  /** Between two records: lets state go that does not fit into memory. */
  relieveMemory(): void {
    if (this.#hasKeyedState) this.#options.memory.relieve();
  }

  isBlocked(): boolean {
    if (this.#hasKeyedState && this.#options.memory.isExhausted()) return true;
    for (const operator of this.#blocking) if (operator.isBlocked!()) return true;
    return this.chain.isFull();
  }

  emitDeadLetters(letters: readonly DeadLetter[]): void {
    const output = this.chain.head.sideOutputs.get(DEAD_LETTERS);
    for (const letter of letters) output?.emit(letter, NO_TIMESTAMP);
  }

  #makeSegment(entry: Output): Segment {
    const { uid } = this.chain.head;
    const afterRecord = this.#askedPerRecord.length === 0 ? null : () => this.#stopIfBlocked();
    const { generateCode, freezeValues } = this.#options.settings;
    if (!generateCode || freezeValues) {
      return new PushSegment(uid, entry, this.stopSignal, afterRecord);
    }
    const operatorAt = (output: Output): InlinedOperator | undefined => this.#operatorAt(output);
    return generateSegment({ uid, entry, operatorAt, afterRecord }, this.stopSignal);
  }

  #stopIfBlocked(): void {
    for (const operator of this.#askedPerRecord) {
      if (operator.isBlocked!()) this.stopSignal.stop = true;
    }
  }

  #operatorAt(output: Output): InlinedOperator | undefined {
    const node = this.chain.nodes.find(({ inputs }) => inputs[0] === output);
    if (node === undefined) return undefined;
    return { ...node, input: node.inputs[0]!, body: bodyOf(node) };
  }

  #makeOperator(chained: ChainedOperator): Operator {
    const { spec, uid } = chained.node;
    const { identity, subtaskIndex, host, settings } = this.#options;
    if (spec.kind === 'source') {
      const requests = { requestSplits: () => host.requestSplits(uid) };
      return new SourceOperator(uid, spec, requests, settings.generateCode);
    }
    if (spec.kind === 'sink') return new SinkOperator(spec.sink, identity, uid, subtaskIndex);
    return createOperator(spec);
  }

  #runtime(node: ChainNode, shouldYield: () => boolean): OperatorRuntime {
    const { operator, uid } = node;
    assert(operator !== null, 'only operator objects have a runtime');
    const restored = this.#options.restored?.get(uid) ?? null;
    const state = new OperatorState({
      uid,
      options: this.#options,
      restored,
      metrics: this.metrics.get(uid)!,
      onOpenKeyed: () => {
        this.#hasKeyedState = true;
      },
      onLargeValue: () => {
        this.stopSignal.stop = true; // the loop ends after this record: `relieveMemory`
      },
    });
    const runtime: OperatorRuntime = {
      node,
      operator,
      context: this.#context(node, state, shouldYield, () => runtime),
      restoredFinished: restored?.finished ?? false,
      keyedStore: () => state.openedKeyed,
      operatorStateSnapshot: () => state.operatorState.snapshot(),
      closeState: () => state.openedKeyed?.close(),
    };
    return runtime;
  }

  #context(
    node: ChainNode,
    state: OperatorState,
    shouldYield: () => boolean,
    runtime: () => OperatorRuntime,
  ): OperatorContext {
    const { vertex, subtaskIndex, identity, environment, host, restored } = this.#options;
    return {
      operatorUid: node.uid,
      subtaskIndex,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      attempt: identity.attempt,
      environment,
      metrics: this.metrics.get(node.uid)!,
      output: node.output,
      sideOutput: (name) => node.sideOutputs.get(name) ?? NO_OUTPUT,
      get keyed() {
        return state.keyed;
      },
      operatorState: state.operatorState,
      isRestored: restored !== null,
      requestProcessingTime: (timeMs) => {
        if (timeMs < this.nextProcessingTimeMs) this.nextProcessingTimeMs = timeMs;
      },
      forwardWatermark: (timeMs) => this.chain.forwardFrom(node.index, timeMs),
      forwardIdle: (idle) => this.chain.forwardIdle(node.index, idle),
      wake: () => this.#woken.add(runtime()),
      shouldYield,
      fail: (error) => host.fail(error),
    };
  }
}

interface OperatorStateOptions {
  readonly uid: string;
  readonly options: TaskOptions;
  readonly restored: RestoredOperator | null;
  readonly metrics: MetricGroup;
  onOpenKeyed(): void;
  onLargeValue(): void;
}

/** Opens an operator's state when it is asked for. */
class OperatorState {
  readonly operatorState: OperatorStateStore;
  openedKeyed: KeyedStateStore | null = null;
  readonly #options: OperatorStateOptions;

  constructor(options: OperatorStateOptions) {
    this.#options = options;
    this.operatorState = openOperatorStateStore(options.restored?.lists ?? []);
  }

  get keyed(): KeyedStateStore {
    if (this.openedKeyed !== null) return this.openedKeyed;
    const { uid, restored, metrics, onLargeValue } = this.#options;
    const { vertex, subtaskIndex, environment, runStore, memory, host, settings } =
      this.#options.options;
    this.openedKeyed = openKeyedStateStore({
      environment,
      operatorUid: uid,
      keyGroupRange: keyGroupRangeOf(subtaskIndex, vertex.maxParallelism, vertex.parallelism),
      maxParallelism: vertex.maxParallelism,
      runStore,
      restored: restored?.keyed ?? null,
      memory,
      metrics,
      fail: (error) => host.fail(error),
      onLargeValue,
      freezeValues: settings.freezeValues,
    });
    this.#options.onOpenKeyed();
    return this.openedKeyed;
  }
}

function bodyOf({ chained, operator }: ChainNode): InlinedOperator['body'] {
  if (operator !== null) return { kind: 'operator', operator };
  const { spec } = chained.node;
  switch (spec.kind) {
    case 'map':
      return { kind: 'map', call: spec.map };
    case 'filter':
      return { kind: 'filter', call: spec.filter };
    case 'flatMap':
      return { kind: 'flatMap', call: spec.flatMap };
    default:
      throw new AssertionError(`${spec.kind} has no operator object`, {
        invariant: 'only map, filter and flatMap are nothing but their function',
      });
  }
}

// What an operator has emitted is what its readers have got; all of one output get the same.
function nodeMetrics(node: ChainNode, nodes: readonly ChainNode[]): MetricGroup {
  const counts = [
    ...node.writers.map((writer) => () => writer.recordsOut),
    ...node.children.map((child) => () => nodes[child]!.inputs[0]!.recordsIn),
  ];
  const metrics = new MetricGroup();
  metrics.gauge('recordsIn', () => node.inputs.reduce((sum, input) => sum + input.recordsIn, 0));
  metrics.gauge('recordsOut', () => counts.reduce((most, count) => Math.max(most, count()), 0));
  metrics.gauge('watermarkMs', () => node.watermarkMs);
  return metrics;
}

/** Connects the operators of a task. Nothing is opened yet. */
export function buildTaskChain(options: TaskOptions, shouldYield: () => boolean): TaskChain {
  return new TaskChain(options, shouldYield);
}
