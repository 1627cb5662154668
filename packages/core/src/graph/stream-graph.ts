import type { KeySelector, OperatorSpec } from './operator-spec.ts';

/** How records choose the subtask downstream. */
export type Partitioning =
  | {
      /** To the subtask of the same index: needs equal parallelism. */
      readonly kind: 'forward';
      /**
       * Asked for by the user: unequal parallelism is an error. Else the planner makes it a
       * `rebalance` then, so in a job graph `forward` edges always join equal parallelism.
       */
      readonly required?: true;
    }
  | { readonly kind: 'hash'; readonly keyOf: KeySelector }
  /** Round robin over all subtasks. */
  | { readonly kind: 'rebalance' }
  /** Round robin over the near ones: each subtask talks to its share only. */
  | { readonly kind: 'rescale' }
  | { readonly kind: 'broadcast' }
  | {
      readonly kind: 'custom';
      readonly name: string;
      /** @returns 0 to parallelism - 1 */
      readonly partition: (value: unknown, parallelism: number) => number;
    };

/** An input of a node. Several edges with one `input` number are a union. */
export interface StreamEdge {
  readonly from: string;
  readonly to: string;
  /** 0, or 1 for the second input of a two-input operator. */
  readonly input: number;
  readonly partitioning: Partitioning;
  /** Reads this side output of `from` instead of its main output. */
  readonly sideOutput: string | null;
}

/** An operator before parallel planning. */
export interface StreamNode {
  /**
   * Unique in the job. Given by the user for everything that has state (first argument); made from
   * kind and place for the rest.
   */
  readonly uid: string;
  readonly hasExplicitUid: boolean;
  readonly spec: OperatorSpec;
  /** For people; plays no part in anything else. */
  readonly name?: string;
  /** null: that of the job. */
  readonly parallelism: number | null;
  readonly maxParallelism: number | null;
  /** `never`: not chained at all; `head`: begins a chain. */
  readonly chaining: 'always' | 'head' | 'never';
}

/** What `job()` builds: plain data but for the user's functions, in the order of definition. */
export interface StreamGraph {
  readonly jobName: string;
  readonly nodes: readonly StreamNode[];
  readonly edges: readonly StreamEdge[];
}
