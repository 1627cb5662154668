import type { StreamEdge, StreamNode } from './stream-graph.ts';

/** An operator in a chain. */
export interface ChainedOperator {
  readonly node: StreamNode;
  /** Index in the chain of the operator whose output it reads; -1 for the head. */
  readonly upstream: number;
  /** Reads a side output of `upstream`; null = the main output. */
  readonly sideOutput: string | null;
}

/** Operators that run in one task, called directly. A tree: one output may feed several. */
export interface JobVertex {
  /** The uid of its head. */
  readonly id: string;
  readonly operators: readonly ChainedOperator[];
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** A stream between tasks. */
export interface JobEdge {
  readonly fromVertex: string;
  readonly toVertex: string;
  /** The edge in the stream graph: operator, side output, input number, partitioning. */
  readonly edge: StreamEdge;
}

/** What is run: chains with their parallelism. Vertices in topological order. */
export interface JobGraph {
  readonly jobName: string;
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
  /** Hash of structure (uids, kinds, edges, state tables), not of functions or parallelism. */
  readonly fingerprint: string;
}
