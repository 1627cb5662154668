import type { Manifest } from '../checkpoint/manifest.ts';
import { type StateChange, stateChanges } from '../checkpoint/state-changes.ts';
import type { JobDefinition } from '../graph/job-definition.ts';
import type { JobGraph } from '../graph/job-graph.ts';
import { planJob } from '../graph/planner.ts';
import type { StreamGraph } from '../graph/stream-graph.ts';
import { targetsOf } from './loaded-restore.ts';
import type { RunOptions } from './run-options.ts';

/** The options of a run that decide what becomes of stored state. */
export type RestorePlanOptions = Pick<
  RunOptions,
  'parameters' | 'parallelism' | 'maxParallelism' | 'allowDroppedState'
>;

/**
 * The job graph of a job that is restored. The number of key groups is fixed by the first run: what
 * a snapshot recorded is taken over by operators that do not say otherwise.
 *
 * @param manifest null: nothing is restored
 */
export function planFor(
  graph: StreamGraph,
  options: RestorePlanOptions,
  manifest: Manifest | null,
): JobGraph {
  const nodes = graph.nodes.map((node) => ({
    ...node,
    maxParallelism:
      node.maxParallelism ??
      options.maxParallelism ??
      manifest?.operators[node.uid]?.maxParallelism ??
      null,
  }));
  const { parallelism } = options;
  return planJob({ ...graph, nodes }, parallelism === undefined ? {} : { parallelism });
}

/**
 * What would become of each state if a job were restored from a snapshot; nothing is started,
 * claimed or read.
 *
 * @returns all of it, refusals too; see `stateChanges`
 * @throws what building and planning the job throw
 */
export function planRestoreOf(
  job: JobDefinition,
  manifest: Manifest,
  options: RestorePlanOptions = {},
): StateChange[] {
  const graph = planFor(job.build(options.parameters), options, manifest);
  const { allowDroppedState = false } = options;
  return stateChanges(manifest, targetsOf(graph), { allowDroppedState });
}
