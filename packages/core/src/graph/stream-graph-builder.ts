import { InvalidJobError } from './job-errors.ts';
import type { OperatorSpec } from './operator-spec.ts';
import type { Partitioning, StreamEdge, StreamGraph, StreamNode } from './stream-graph.ts';
import { validateGraph } from './validate-graph.ts';

/** One output that feeds a stream; a stream with several is a union. */
export interface Upstream {
  readonly operator: OperatorDraft;
  readonly sideOutput: string | null;
  readonly partitioning: Partitioning;
}

/** An operator that may still be changed: the fluent methods of a stream act on it. */
export class OperatorDraft {
  readonly uid: string;
  readonly hasExplicitUid: boolean;
  spec: OperatorSpec;
  name: string | undefined = undefined;
  parallelism: number | null = null;
  maxParallelism: number | null = null;
  chaining: StreamNode['chaining'] = 'always';

  constructor(uid: string, hasExplicitUid: boolean, spec: OperatorSpec) {
    this.uid = uid;
    this.hasExplicitUid = hasExplicitUid;
    this.spec = spec;
  }
}

/** Takes in what a job's function defines, in order, and makes the graph of it. */
export class StreamGraphBuilder {
  readonly jobName: string;
  readonly #drafts: OperatorDraft[] = [];
  readonly #edges: StreamEdge[] = [];
  readonly #countOfKind = new Map<string, number>();
  #sealed = false;

  constructor(jobName: string) {
    this.jobName = jobName;
  }

  /**
   * Adds an operator behind its inputs.
   *
   * @param uid null: made from the kind and how many of the kind there are, for example `map#2`
   * @param inputs per input, the outputs that feed it
   * @throws InvalidJobError after `build`, and for an input of another job
   */
  add(
    uid: string | null,
    spec: OperatorSpec,
    inputs: readonly (readonly Upstream[])[],
  ): OperatorDraft {
    const draft = new OperatorDraft(uid ?? this.#generatedUid(spec.kind), uid !== null, spec);
    this.assertOpen(draft.uid);
    for (const [input, upstreams] of inputs.entries()) {
      for (const { operator, sideOutput, partitioning } of upstreams) {
        if (!this.#drafts.includes(operator)) throw this.#foreignInput(draft, operator);
        this.#edges.push({ from: operator.uid, to: draft.uid, input, partitioning, sideOutput });
      }
    }
    this.#drafts.push(draft);
    return draft;
  }

  /** @throws InvalidJobError if the graph has been built: a later change would go unseen */
  assertOpen(operatorUid: string): void {
    if (!this.#sealed) return;
    throw new InvalidJobError(
      `operator "${operatorUid}" was defined or changed after job "${this.jobName}" was built`,
      { job: this.jobName, operatorUid },
      { hint: 'Define the whole graph before the function given to job() returns.' },
    );
  }

  /** @throws InvalidJobError, DuplicateUidError; see `validateGraph` */
  build(): StreamGraph {
    this.#sealed = true;
    const graph: StreamGraph = {
      jobName: this.jobName,
      nodes: this.#drafts.map(toNode),
      edges: [...this.#edges],
    };
    validateGraph(graph);
    return graph;
  }

  #generatedUid(kind: string): string {
    const count = (this.#countOfKind.get(kind) ?? 0) + 1;
    this.#countOfKind.set(kind, count);
    return `${kind}#${count}`;
  }

  #foreignInput(draft: OperatorDraft, input: OperatorDraft): InvalidJobError {
    return new InvalidJobError(
      `operator "${draft.uid}" reads "${input.uid}", which belongs to another graph`,
      { job: this.jobName, operatorUid: draft.uid },
      { hint: 'Use only streams that come from the flow given to this call of the function.' },
    );
  }
}

function toNode(draft: OperatorDraft): StreamNode {
  const { uid, hasExplicitUid, spec, name, parallelism, maxParallelism, chaining } = draft;
  const node = { uid, hasExplicitUid, spec, parallelism, maxParallelism, chaining };
  return name === undefined ? node : { ...node, name };
}
