import type { Manifest } from '../checkpoint/manifest.ts';
import {
  type OperatorRestorePlan,
  planRestore,
  type RestorePlan,
} from '../checkpoint/restore-plan.ts';
import type { RestoreTarget, StateChange } from '../checkpoint/state-changes.ts';
import { fromTaggedJson } from '../codec/tagged-json.ts';
import type { SourceRestore } from '../coordinator/source-coordinator.ts';
import type { SourceSplit } from '../function/source.ts';
import type { JobGraph, JobVertex } from '../graph/job-graph.ts';
import { tablesOf } from '../graph/state-tables.ts';
import { COMMITTABLES_STATE, WRITER_STATE } from '../task/sink/sink-operator.ts';
import { SPLITS_STATE } from '../task/source/source-operator.ts';
import type { RestoredOperator } from '../task/task-host.ts';

/** What a sink's last checkpoint holds, over all its subtasks. */
export interface SinkRestore {
  readonly committables: readonly unknown[];
  readonly writerStates: readonly unknown[];
}

/** A restore plan, dealt out: all that an attempt begins with. Its runs are read by the tasks. */
export class LoadedRestore {
  readonly #plan: RestorePlan;
  /** By `uid#subtask`. */
  readonly #operators: ReadonlyMap<string, RestoredOperator>;

  constructor(plan: RestorePlan, operators: ReadonlyMap<string, RestoredOperator>) {
    this.#plan = plan;
    this.#operators = operators;
  }

  /** What becomes of each state of the snapshot and of the job. */
  get changes(): readonly StateChange[] {
    return this.#plan.changes;
  }

  /** State of one subtask by operator uid; operators that the snapshot did not know are missing. */
  restoredFor(vertex: JobVertex, subtaskIndex: number): ReadonlyMap<string, RestoredOperator> {
    const restored = new Map<string, RestoredOperator>();
    for (const { node } of vertex.operators) {
      const operator = this.#operators.get(`${node.uid}#${subtaskIndex}`);
      if (operator !== undefined) restored.set(node.uid, operator);
    }
    return restored;
  }

  /** null if the snapshot did not know the source. */
  restoredSource(uid: string): SourceRestore | null {
    const plan = this.#plan.operators.get(uid);
    if (plan === undefined) return null;
    const splits = elementsOf(plan, SPLITS_STATE) as SourceSplit[];
    return { enumerator: this.#plan.enumerators[uid], splits };
  }

  sinkState(uid: string): SinkRestore {
    const plan = this.#plan.operators.get(uid);
    if (plan === undefined) return { committables: [], writerStates: [] };
    return {
      committables: elementsOf(plan, COMMITTABLES_STATE),
      writerStates: elementsOf(plan, WRITER_STATE),
    };
  }
}

/**
 * Whether a job can be restored from a snapshot; reads nothing.
 *
 * @throws what `planRestore` throws
 */
export function checkRestore(
  manifest: Manifest,
  graph: JobGraph,
  allowDroppedState: boolean,
): RestorePlan {
  return planRestore(manifest, targetsOf(graph), { allowDroppedState });
}

/** Plans a restore; reads nothing. */
export function loadRestore(
  manifest: Manifest,
  graph: JobGraph,
  allowDroppedState: boolean,
): LoadedRestore {
  const plan = checkRestore(manifest, graph, allowDroppedState);
  const operators = new Map<string, RestoredOperator>();
  for (const { operators: chained, parallelism } of graph.vertices) {
    for (const { node } of chained) {
      const operator = plan.operators.get(node.uid);
      if (operator === undefined) continue;
      const old = manifest.operators[node.uid]!;
      for (let index = 0; index < parallelism; index++) {
        const { keyed, lists } = operator.subtasks[index]!;
        // With another parallelism there is no telling which subtask had finished, unless all had.
        const finished =
          operator.isFinished || (old.parallelism === parallelism && old.subtasks[index]!.finished);
        operators.set(`${node.uid}#${index}`, { keyed, lists, finished });
      }
    }
  }
  return new LoadedRestore(plan, operators);
}

/** What the operators of a job declare, by uid. */
export function targetsOf(graph: JobGraph): Record<string, RestoreTarget> {
  return Object.fromEntries(
    graph.vertices.flatMap(({ operators, parallelism, maxParallelism }) =>
      operators.map(({ node }) => {
        const { keyed, lists } = tablesOf(node.spec);
        return [node.uid, { parallelism, maxParallelism, tables: keyed, lists }];
      }),
    ),
  );
}

function elementsOf(plan: OperatorRestorePlan, name: string): unknown[] {
  return plan.subtasks
    .flatMap(({ lists }) => lists)
    .filter((list) => list.name === name)
    .flatMap(({ elements }) => elements.map((element) => fromTaggedJson(element)));
}
