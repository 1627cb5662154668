import { defaultMaxParallelism } from '../element/key-group.ts';
import { fingerprintOf } from './fingerprint.ts';
import { InvalidJobError } from './job-errors.ts';
import type { ChainedOperator, JobGraph, JobVertex } from './job-graph.ts';
import type { StreamEdge, StreamGraph, StreamNode } from './stream-graph.ts';
import { checkParallelismOrder, checkSize, validateGraph } from './validate-graph.ts';

/** The sizes of a run; operators with sizes of their own keep them. */
export interface PlanSizes {
  /** Default 1. */
  readonly parallelism?: number;
  /** Default: Flink's rule from the parallelism of each operator, at least 128. */
  readonly maxParallelism?: number;
}

// From a graph of operators to a graph of chains.
//
//   A --forward--> B --forward--> C --hash--> D        A,B,C: one vertex      D: its own vertex
//
// An operator joins the chain of the one it reads if
//   C1. a single edge leads into it (unions and two-input operators head a chain),
//   C2. neither forbids it (`never` on either side, `head` on the reader),
//   C3. both have equal parallelism,
//   C4. the edge is `forward` and the reader asks for no other maxParallelism than the chain has;
//       or both have parallelism 1 and equal maxParallelism, and the edge is anything but `custom`:
//       all records go to the one subtask anyway, in the same order.

/** A node with its sizes filled in. */
interface Sized {
  readonly node: StreamNode;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** A chain in the making, and where each operator has gone. */
interface Draft {
  readonly head: Sized;
  readonly operators: ChainedOperator[];
}
interface Place {
  readonly chain: Draft;
  readonly index: number;
}

/**
 * Decides what runs in one task. Pure; the same graph and sizes give the same plan.
 *
 * @throws InvalidJobError for sizes that do not fit: parallelism above maxParallelism, a required
 *   `forward` between operators of unequal parallelism
 *
 * Cost: O(nodes + edges).
 */
export function planJob(graph: StreamGraph, sizes: PlanSizes = {}): JobGraph {
  validateGraph(graph);
  const { jobName, nodes } = graph;
  const sized = new Map(nodes.map((node) => [node.uid, withSizes(node, sizes, jobName)]));
  const edges = graph.edges.map((edge) => resolveEdge(edge, sized, jobName));
  const incoming = Map.groupBy(edges, (edge) => edge.to);
  const chains: Draft[] = [];
  const places = new Map<string, Place>();
  // In the order of definition, which is topological: what a node reads has its place already.
  for (const node of nodes) {
    const reader = sized.get(node.uid)!;
    const [edge, ...more] = incoming.get(node.uid) ?? [];
    const upstream = edge === undefined || more.length > 0 ? null : places.get(edge.from)!; // C1
    if (edge === undefined || upstream === null || !mayJoin(upstream, reader, edge)) {
      const chain = { head: reader, operators: [{ node, upstream: -1, sideOutput: null }] };
      chains.push(chain);
      places.set(node.uid, { chain, index: 0 });
    } else {
      const { operators } = upstream.chain;
      places.set(node.uid, { chain: upstream.chain, index: operators.length });
      operators.push({ node, upstream: upstream.index, sideOutput: edge.sideOutput });
    }
  }
  return {
    jobName,
    vertices: chains.map(toVertex),
    edges: edges
      .filter((edge) => places.get(edge.to)!.index === 0)
      .map((edge) => ({
        fromVertex: places.get(edge.from)!.chain.head.node.uid,
        toVertex: edge.to,
        edge,
      })),
    fingerprint: fingerprintOf(graph),
  };
}

function withSizes(node: StreamNode, sizes: PlanSizes, job: string): Sized {
  const parallelism = node.parallelism ?? sizes.parallelism ?? 1;
  checkSize(parallelism, 'parallelism', node.uid, job);
  const maxParallelism =
    node.maxParallelism ?? sizes.maxParallelism ?? defaultMaxParallelism(parallelism);
  checkSize(maxParallelism, 'maxParallelism', node.uid, job);
  checkParallelismOrder(node.uid, parallelism, maxParallelism, job);
  return { node, parallelism, maxParallelism };
}

// A forward edge between unequal sizes becomes a rebalance, unless the user wrote `forward()`.
function resolveEdge(edge: StreamEdge, sized: ReadonlyMap<string, Sized>, job: string): StreamEdge {
  const { from, to, partitioning } = edge;
  const [before, after] = [sized.get(from)!.parallelism, sized.get(to)!.parallelism];
  if (partitioning.kind !== 'forward' || before === after) return edge;
  if (partitioning.required !== true) return { ...edge, partitioning: { kind: 'rebalance' } };
  throw new InvalidJobError(
    `forward from "${from}" to "${to}" joins parallelism ${before} and ${after}`,
    { job, operatorUid: to },
    { hint: 'Give both operators the same parallelism, or use rescale() or rebalance().' },
  );
}

function mayJoin(upstream: Place, reader: Sized, edge: StreamEdge): boolean {
  const { head, operators } = upstream.chain;
  const { chaining } = operators[upstream.index]!.node;
  if (chaining === 'never' || reader.node.chaining !== 'always') return false; // C2
  if (head.parallelism !== reader.parallelism) return false; // C3
  const { kind } = edge.partitioning;
  if (kind === 'forward') {
    const asked = reader.node.maxParallelism;
    return asked === null || asked === head.maxParallelism; // C4
  }
  const isAlone = reader.parallelism === 1 && reader.maxParallelism === head.maxParallelism;
  return isAlone && kind !== 'custom'; // C4
}

function toVertex({ head, operators }: Draft): JobVertex {
  const { node, parallelism, maxParallelism } = head;
  return { id: node.uid, operators, parallelism, maxParallelism };
}
