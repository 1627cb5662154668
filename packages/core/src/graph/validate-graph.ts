import { UPPER_BOUND_MAX_PARALLELISM } from '../element/key-group.ts';
import { DuplicateUidError, InvalidJobError } from './job-errors.ts';
import { isOperatorName, OPERATOR_NAME_RULE } from './name-rules.ts';
import { tablesOf } from './state-tables.ts';
import type { StreamEdge, StreamGraph, StreamNode } from './stream-graph.ts';

/**
 * Checks what can be known without the parallelism of the run.
 *
 * G1. There is at least one source.
 * G2. Uids are unique; given ones keep the rule for names (made ones hold a '#').
 * G3. An edge leads from an earlier node to a later one: the order of definition is topological.
 * G4. No output is read twice by one input of one operator.
 * G5. Parallelism and maxParallelism, where given, are whole numbers, 1 or more, in order.
 * G6. The states of an operator have names that keep the rule.
 *
 * @throws InvalidJobError, DuplicateUidError
 *
 * Cost: O(nodes + edges).
 */
export function validateGraph(graph: StreamGraph): void {
  const { jobName, nodes, edges } = graph;
  if (!nodes.some((node) => node.spec.kind === 'source')) {
    throw new InvalidJobError(
      `job "${jobName}" has no source`,
      { job: jobName },
      { hint: 'Begin with flow.from(uid, source) in the function given to job().' },
    );
  }
  const positions = new Map<string, number>();
  for (const [position, node] of nodes.entries()) {
    checkUid(node, jobName, positions);
    positions.set(node.uid, position);
    checkSizes(node, jobName);
    checkStateNames(node, jobName);
  }
  checkEdges(edges, jobName, positions);
}

function checkUid(node: StreamNode, job: string, seen: ReadonlyMap<string, number>): void {
  const { uid, hasExplicitUid } = node;
  if (hasExplicitUid && !isOperatorName(uid)) {
    throw new InvalidJobError(
      `"${String(uid)}" cannot be the uid of an operator`,
      { job, operatorUid: String(uid) },
      { hint: `A uid is a string of ${OPERATOR_NAME_RULE}.` },
    );
  }
  if (seen.has(uid)) {
    throw new DuplicateUidError(
      `two operators of job "${job}" have the uid "${uid}"`,
      { job, operatorUid: uid },
      { hint: 'Give each operator a uid of its own; state is found again by it.' },
    );
  }
}

function checkSizes(node: StreamNode, job: string): void {
  checkSize(node.parallelism, 'parallelism', node.uid, job);
  checkSize(node.maxParallelism, 'maxParallelism', node.uid, job);
  checkParallelismOrder(node.uid, node.parallelism ?? 1, node.maxParallelism, job);
}

/** @throws InvalidJobError unless `size` is null or a whole number from 1 to Flink's upper bound */
export function checkSize(size: number | null, what: string, uid: string, job: string): void {
  if (size === null) return;
  if (Number.isInteger(size) && size >= 1 && size <= UPPER_BOUND_MAX_PARALLELISM) return;
  throw new InvalidJobError(
    `the ${what} of operator "${uid}" is ${String(size)}`,
    { job, operatorUid: uid },
    { hint: `It must be a whole number from 1 to ${UPPER_BOUND_MAX_PARALLELISM}.` },
  );
}

/** @throws InvalidJobError if the parallelism is above its maximum (null: there is none yet) */
export function checkParallelismOrder(
  uid: string,
  parallelism: number,
  maxParallelism: number | null,
  job: string,
): void {
  if (maxParallelism === null || parallelism <= maxParallelism) return;
  throw new InvalidJobError(
    `operator "${uid}" has parallelism ${parallelism} but maxParallelism ${maxParallelism}`,
    { job, operatorUid: uid },
    { hint: 'Lower the parallelism, or raise maxParallelism (not possible for restored state).' },
  );
}

function checkStateNames(node: StreamNode, job: string): void {
  for (const { name, isInternal } of tablesOf(node.spec).keyed) {
    if (isInternal || isOperatorName(name)) continue;
    throw new InvalidJobError(
      `"${name}" cannot be the name of a state (operator "${node.uid}")`,
      { job, operatorUid: node.uid },
      { hint: `The name of a state is made of ${OPERATOR_NAME_RULE}.` },
    );
  }
}

function checkEdges(
  edges: readonly StreamEdge[],
  job: string,
  positions: ReadonlyMap<string, number>,
): void {
  const seen = new Set<string>();
  for (const { from, to, input, sideOutput } of edges) {
    const [fromPosition, toPosition] = [positions.get(from), positions.get(to)];
    if (fromPosition === undefined || toPosition === undefined || fromPosition >= toPosition) {
      throw new InvalidJobError(
        `operator "${to}" reads "${from}", which is not defined before it`,
        { job, operatorUid: to },
      );
    }
    const identity = JSON.stringify([from, to, input, sideOutput]);
    if (seen.has(identity)) {
      throw new InvalidJobError(
        `operator "${to}" reads the same output of "${from}" twice in one input`,
        { job, operatorUid: to },
        { hint: 'To double a stream, put a map between: a.union(a.map((value) => value)).' },
      );
    }
    seen.add(identity);
  }
}
