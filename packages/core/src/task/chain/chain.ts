import { assert } from '../../base/assert.ts';
import type { RecordOrigin } from '../../element/batch.ts';
import type { StreamElement } from '../../element/element.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../element/time.ts';
import type { ChainedOperator, JobVertex } from '../../graph/job-graph.ts';
import type { RecordWriter } from '../channel/record-writer.ts';
import type { Operator, Output } from '../operator/operator.ts';
import {
  CoreInput,
  FanOutOutput,
  FilterOutput,
  FlatMapOutput,
  FreezingOutput,
  MapOutput,
  NO_OUTPUT,
  type OperatorInput,
  SecondCoreInput,
} from './operator-inputs.ts';

/** An operator in place: what leads into it and what it leads to. */
export interface ChainNode {
  readonly index: number;
  readonly uid: string;
  readonly chained: ChainedOperator;
  /** null for map, filter and flatMap: they are nothing but their input. */
  readonly operator: Operator | null;
  /** Input 0, and input 1 of two-input operators. Empty for a source. */
  readonly inputs: readonly OperatorInput[];
  readonly output: Output;
  readonly sideOutputs: ReadonlyMap<string, Output>;
  readonly children: readonly number[];
  readonly writers: readonly RecordWriter[];
  watermarkMs: number;
}

/** A writer and the output it reads. */
export interface ChainWriter {
  readonly operatorUid: string;
  readonly sideOutput: string | null;
  readonly writer: RecordWriter;
}

/** What a chain is built from. */
export interface ChainOptions {
  readonly vertex: JobVertex;
  readonly writers: readonly ChainWriter[];
  /** Makes the operator of a node; not asked for map, filter and flatMap. */
  makeOperator(chained: ChainedOperator): Operator;
  readonly freezeValues: boolean;
}

/**
 * The operators of a task, connected. Records are pushed: one call goes through the whole tree.
 *
 * H1. Watermarks go through the tree in order: an operator has fired everything that is due before
 *     its children see the watermark.
 * H2. A watermark that could not be finished (see `Operator`, O1) stays at the head of the work
 *     list; nothing else enters the chain before `drain` has finished it.
 */
export class Chain {
  readonly nodes: readonly ChainNode[];
  readonly writers: readonly RecordWriter[];
  #work: { readonly node: number; readonly timeMs: number }[] = [];

  constructor(options: ChainOptions) {
    const { operators } = options.vertex;
    const nodes: ChainNode[] = new Array(operators.length);
    // Backwards: a node needs the inputs of its children.
    for (let i = operators.length - 1; i >= 0; i--) nodes[i] = buildNode(i, nodes, options);
    this.nodes = nodes;
    this.writers = options.writers.map((entry) => entry.writer);
  }

  get head(): ChainNode {
    return this.nodes[0]!;
  }

  /** Lets a watermark in at the head. Call `drain` until it says true. */
  advance(timeMs: number): void {
    this.#work.push({ node: 0, timeMs });
  }

  /** A node with `holdsWatermark` sends one on to its children and writers. */
  forwardFrom(node: number, timeMs: number): void {
    this.#enter(this.nodes[node]!, timeMs);
  }

  /** Tells the channels below a node that its stream is idle, or active again. */
  forwardIdle(node: number, idle: boolean): void {
    const { children, writers } = this.nodes[node]!;
    for (const writer of writers) writer.broadcast({ kind: 'watermarkStatus', idle });
    for (const child of children) this.forwardIdle(child, idle);
  }

  /** Whether watermarks are on their way through the tree. */
  get hasWork(): boolean {
    return this.#work.length > 0;
  }

  /** Does the watermark work that there is. @returns false if an operator wants to yield */
  drain(): boolean {
    while (this.#work.length > 0) {
      const work = this.#work[0]!;
      const node = this.nodes[work.node]!;
      const { timeMs } = work;
      if (timeMs > node.watermarkMs) {
        const done = node.operator?.onWatermark?.(timeMs) ?? true;
        if (!done) return false; // H2
        node.watermarkMs = timeMs;
      }
      // Not simply the first: an operator that sent a watermark on has put its children before it.
      this.#work.splice(this.#work.indexOf(work), 1);
      if (node.operator?.holdsWatermark !== true) this.#enter(node, timeMs);
    }
    return true;
  }

  /** Sends a control element to all channels of all writers. */
  broadcast(element: StreamElement): void {
    for (const writer of this.writers) writer.broadcast(element);
  }

  flush(): void {
    for (const writer of this.writers) writer.flush();
  }

  isFull(): boolean {
    for (const writer of this.writers) if (writer.isFull()) return true;
    return false;
  }

  setOrigin(origin: RecordOrigin | null): void {
    for (const writer of this.writers) writer.origin = origin;
  }

  /** The operator in which a record is stuck after an exception; null if none is. */
  deepestActive(): ChainNode | null {
    let deepest: ChainNode | null = null;
    for (const node of this.nodes) {
      for (const input of node.inputs) if (input.active) deepest = node;
    }
    return deepest;
  }

  // Children come first in the work list (depth first), so that a chain of n operators handles a
  // watermark as if it were one call.
  #enter(node: ChainNode, timeMs: number): void {
    assert(timeMs <= MAX_WATERMARK, 'a watermark is a number');
    const next = node.children.map((child) => ({ node: child, timeMs }));
    this.#work.unshift(...next);
    for (const writer of node.writers) writer.broadcast({ kind: 'watermark', timeMs });
  }
}

function buildNode(index: number, built: ChainNode[], options: ChainOptions): ChainNode {
  const chained = options.vertex.operators[index]!;
  const uid = chained.node.uid;
  const children = built.filter((node) => node?.chained.upstream === index);
  const writers = options.writers.filter((entry) => entry.operatorUid === uid);
  const outputOf = (side: string | null): Output =>
    joinOutputs(
      [
        ...children
          .filter((child) => child.chained.sideOutput === side)
          .map((child) => child.inputs[0]!),
        ...writers.filter((entry) => entry.sideOutput === side).map((entry) => entry.writer),
      ],
      options.freezeValues,
    );
  const sides = new Set(
    [...children.map((c) => c.chained.sideOutput), ...writers.map((w) => w.sideOutput)].filter(
      (side) => side !== null,
    ),
  );
  const output = outputOf(null);
  const { operator, inputs } = buildInputs(chained, output, options);
  return {
    index,
    uid,
    chained,
    operator,
    inputs,
    output,
    sideOutputs: new Map([...sides].map((side) => [side, outputOf(side)])),
    children: children.map((child) => child.index),
    writers: writers.map((entry) => entry.writer),
    watermarkMs: MIN_WATERMARK,
  };
}

function joinOutputs(outputs: readonly Output[], freezeValues: boolean): Output {
  const joined =
    outputs.length === 0
      ? NO_OUTPUT
      : outputs.length === 1
        ? outputs[0]!
        : new FanOutOutput(outputs);
  return freezeValues ? new FreezingOutput(joined) : joined;
}

function buildInputs(
  chained: ChainedOperator,
  output: Output,
  options: ChainOptions,
): { operator: Operator | null; inputs: OperatorInput[] } {
  const { spec, uid } = chained.node;
  switch (spec.kind) {
    case 'map':
      return { operator: null, inputs: [new MapOutput(uid, spec.map, output)] };
    case 'filter':
      return { operator: null, inputs: [new FilterOutput(uid, spec.filter, output)] };
    case 'flatMap':
      return { operator: null, inputs: [new FlatMapOutput(uid, spec.flatMap, output)] };
    case 'source':
      return { operator: options.makeOperator(chained), inputs: [] };
    default: {
      const operator = options.makeOperator(chained);
      const inputs: OperatorInput[] = [new CoreInput(operator)];
      if (operator.process2 !== undefined) inputs.push(new SecondCoreInput(operator));
      return { operator, inputs };
    }
  }
}
