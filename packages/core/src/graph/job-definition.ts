import type { StreamGraph } from './stream-graph.ts';

/** What a job's function gets: the run's parameters by name. The graph depends on nothing else. */
export type JobParameters = Readonly<Record<string, string | undefined>>;

/** A job that can be built anywhere, any number of times; made by `job()`. */
export interface JobDefinition {
  /** Identity of the job in checkpoints; names the checkpoint directory. */
  readonly name: string;
  /**
   * Calls the job's function. Every thread builds its own graph: functions cannot be posted.
   *
   * @throws InvalidJobError, DuplicateUidError, NonDeterministicJobError, or what the job's own
   *   function throws
   */
  build(parameters?: JobParameters): StreamGraph;
}
