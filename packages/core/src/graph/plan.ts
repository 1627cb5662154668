import type { JobGraph } from './job-graph.ts';
import type { WindowAssigner } from '../function/window.ts';
import type { OperatorKind, OperatorSpec, WindowSpec } from './operator-spec.ts';
import { type DeclaredList, tablesOf } from './state-tables.ts';
import type { Partitioning } from './stream-graph.ts';

/**
 * A job graph as plain JSON: what `millrace plan --json` prints and tools may rely on. Members are
 * only ever added; a change of meaning raises `format`.
 */
export interface JobPlan {
  readonly format: 1;
  readonly job: string;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
  /** Chains, each before those that read it. */
  readonly chains: readonly PlanChain[];
  /** Streams between chains, in the order of definition. */
  readonly edges: readonly PlanEdge[];
}

/** Operators that run in one task. */
export interface PlanChain {
  /** The uid of its head. */
  readonly id: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly operators: readonly PlanOperator[];
}

/** An operator of a chain. */
export interface PlanOperator {
  readonly uid: string;
  readonly hasExplicitUid: boolean;
  readonly kind: OperatorKind;
  /** Display name given by the user; null if none. */
  readonly name: string | null;
  /** What it does in a few words, for example `tumbling 60000 ms`; may be empty. */
  readonly summary: string;
  /** uid of the operator of this chain that it reads; null for the head. */
  readonly reads: string | null;
  /** The side output of `reads` that it reads; null = the main output. */
  readonly sideOutput: string | null;
  /** Tables of keyed state that it declares. */
  readonly tables: readonly {
    readonly name: string;
    readonly kind: string;
    readonly version: number;
    readonly isInternal: boolean;
  }[];
  /** Lists of operator state. */
  readonly lists: readonly DeclaredList[];
}

/** A stream from one chain to another. */
export interface PlanEdge {
  readonly fromChain: string;
  /** uid of the operator whose output it is. */
  readonly from: string;
  readonly sideOutput: string | null;
  readonly toChain: string;
  /** 0, or 1 for the second input of a two-input operator. */
  readonly input: number;
  readonly partitioning: Partitioning['kind'];
  /** Name of a `custom` partitioning, else null. */
  readonly partitioner: string | null;
}

/** @returns the plan of a job graph. Cost: O(operators + edges) */
export function planOf(graph: JobGraph): JobPlan {
  return {
    format: 1,
    job: graph.jobName,
    fingerprint: graph.fingerprint,
    chains: graph.vertices.map(({ id, parallelism, maxParallelism, operators }) => ({
      id,
      parallelism,
      maxParallelism,
      operators: operators.map(({ node, upstream, sideOutput }) => {
        const { keyed, lists } = tablesOf(node.spec);
        return {
          uid: node.uid,
          hasExplicitUid: node.hasExplicitUid,
          kind: node.spec.kind,
          name: node.name ?? null,
          summary: summaryOf(node.spec),
          reads: upstream < 0 ? null : operators[upstream]!.node.uid,
          sideOutput,
          tables: keyed,
          lists,
        };
      }),
    })),
    edges: graph.edges.map(({ fromVertex, toVertex, edge }) => ({
      fromChain: fromVertex,
      from: edge.from,
      sideOutput: edge.sideOutput,
      toChain: toVertex,
      input: edge.input,
      partitioning: edge.partitioning.kind,
      partitioner: edge.partitioning.kind === 'custom' ? edge.partitioning.name : null,
    })),
  };
}

function summaryOf(spec: OperatorSpec): string {
  switch (spec.kind) {
    case 'source': {
      const { name, boundedness, delivery } = spec.source;
      const eventTime = spec.watermarks === null ? '' : ', event time';
      return `${name}, ${boundedness}, ${delivery}${eventTime}`;
    }
    case 'sink':
      return `${spec.sink.name}, ${spec.sink.delivery}`;
    case 'mapAsync':
      return `${spec.options.order ?? 'ordered'}, capacity ${spec.options.capacity ?? 100}`;
    case 'keyedBroadcastProcess':
    case 'broadcastProcess':
      return `broadcast state ${spec.stateName}`;
    case 'window':
      return windowSummary(spec.window);
    case 'intervalJoin':
      return `${spec.interval.lowerMs} to ${spec.interval.upperMs} ms`;
    case 'windowJoin':
      return `${assignerSummary(spec.assigner)}, ${spec.body.kind}`;
    default:
      return '';
  }
}

function windowSummary(window: WindowSpec): string {
  const { assigner, body, trigger, evictor, allowedLatenessMs, lateOutput } = window;
  const parts = [assignerSummary(assigner), body.kind];
  if (assigner.kind !== 'global') parts.push(`${assigner.time} time`);
  if (trigger !== null) parts.push(`trigger ${trigger.name}`);
  if (evictor !== null) parts.push(`evictor ${evictor.name}`);
  if (allowedLatenessMs > 0) parts.push(`lateness ${allowedLatenessMs} ms`);
  if (lateOutput !== null) parts.push('late output');
  return parts.join(', ');
}

function assignerSummary(assigner: WindowAssigner): string {
  switch (assigner.kind) {
    case 'tumbling':
      return `tumbling ${assigner.sizeMs} ms`;
    case 'sliding':
      return `sliding ${assigner.sizeMs} ms by ${assigner.slideMs} ms`;
    case 'session':
      return `session ${assigner.gapMs} ms`;
    case 'dynamicSession':
      return 'session of dynamic gap';
    case 'global':
      return assigner.fire === 'endOfStream' ? 'global to the end of stream' : 'global';
  }
}
