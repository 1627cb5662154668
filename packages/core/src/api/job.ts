import { fingerprintOf } from '../graph/fingerprint.ts';
import type { JobDefinition, JobParameters } from '../graph/job-definition.ts';
import { InvalidJobError, NonDeterministicJobError } from '../graph/job-errors.ts';
import { isJobName, JOB_NAME_RULE } from '../graph/name-rules.ts';
import type { StreamGraph } from '../graph/stream-graph.ts';
import { StreamGraphBuilder } from '../graph/stream-graph-builder.ts';
import { Flow } from './flow.ts';

/**
 * Defines a job.
 *
 * ```
 * export default job('order-totals', (flow, parameters) => {
 *   flow.from('orders', source).filter((order) => order.amount > 0).to('totals', sink);
 * });
 * ```
 *
 * @param name identity of the job in checkpoints; names their directory
 * @param define builds the graph, synchronously, out of nothing but the parameters: it is called in
 *   every thread and at every restart, and twice per build to find out if it does (the second graph
 *   counts)
 * @throws InvalidJobError if the name cannot be one
 */
export function job(
  name: string,
  define: (flow: Flow, parameters: JobParameters) => void,
): JobDefinition {
  if (!isJobName(name)) {
    throw new InvalidJobError(
      `"${String(name)}" cannot be the name of a job`,
      { job: String(name) },
      { hint: `A job name is made of ${JOB_NAME_RULE}.` },
    );
  }
  const buildOnce = (parameters: JobParameters): StreamGraph => {
    const builder = new StreamGraphBuilder(name);
    const returned: unknown = define(new Flow(builder), parameters);
    if (returned instanceof Promise) throw asynchronousJob(name);
    return builder.build();
  };
  return {
    name,
    build(parameters = {}) {
      const first = fingerprintOf(buildOnce(parameters));
      const graph = buildOnce(parameters);
      const second = fingerprintOf(graph);
      if (first === second) return graph;
      throw new NonDeterministicJobError(
        `job "${name}" was built twice and came out different`,
        { job: name, fingerprints: [first, second] },
        { hint: 'Build the graph out of the parameters only; no clock, chance or outer state.' },
      );
    },
  };
}

function asynchronousJob(name: string): InvalidJobError {
  return new InvalidJobError(
    `the function of job "${name}" returned a promise`,
    { job: name },
    { hint: 'Make it synchronous; fetch what it needs before and pass it as a parameter.' },
  );
}
