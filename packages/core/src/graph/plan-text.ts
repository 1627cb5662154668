import type { JobPlan, PlanChain, PlanEdge, PlanOperator } from './plan.ts';

/**
 * A plan for people: one block per chain, its operators indented by depth, with what flows in.
 *
 * ```
 * job order-totals (fingerprint 9d1c...): 2 chains, 5 tasks
 *
 * chain orders, parallelism 1 of 128
 *   source "orders"  kafka, continuous, exactly-once, event time
 *     filter
 *
 * chain revenue, parallelism 4 of 128
 *   <- hash from "orders"
 *   window "revenue"  tumbling 60000 ms, aggregate, event time
 *     state: windows (window v1)
 *     sink "totals"  print, at-least-once
 * ```
 *
 * @returns lines joined by newlines, with one at the end
 */
export function planText(plan: JobPlan): string {
  const tasks = plan.chains.reduce((sum, chain) => sum + chain.parallelism, 0);
  const chains = counted(plan.chains.length, 'chain');
  const size = `${chains}, ${counted(tasks, 'task')}`;
  const head = `job ${plan.job} (fingerprint ${plan.fingerprint}): ${size}`;
  return [head, ...plan.chains.flatMap((chain) => ['', ...chainLines(chain, plan.edges)]), ''].join(
    '\n',
  );
}

function chainLines(chain: PlanChain, edges: readonly PlanEdge[]): string[] {
  const lines = [`chain ${chain.id}, parallelism ${chain.parallelism} of ${chain.maxParallelism}`];
  const inputs = edges.filter((edge) => edge.toChain === chain.id);
  const hasTwoInputs = inputs.some((edge) => edge.input > 0);
  for (const edge of inputs) lines.push(`  <- ${edgeText(edge, hasTwoInputs)}`);
  const depths = new Map<string, number>();
  for (const operator of chain.operators) {
    const depth = operator.reads === null ? 0 : depths.get(operator.reads)! + 1;
    depths.set(operator.uid, depth);
    const indent = '  '.repeat(depth + 1);
    lines.push(`${indent}${operatorText(operator)}`);
    const state = stateText(operator);
    if (state !== '') lines.push(`${indent}  state: ${state}`);
  }
  return lines;
}

function edgeText(edge: PlanEdge, hasTwoInputs: boolean): string {
  const input = hasTwoInputs ? `input ${edge.input + 1}: ` : '';
  const how = edge.partitioner === null ? edge.partitioning : `custom ${edge.partitioner}`;
  return `${input}${how} from "${edge.from}"${sideText(edge.sideOutput)}`;
}

function operatorText(operator: PlanOperator): string {
  const { kind, uid, hasExplicitUid, name, summary, sideOutput } = operator;
  const title = hasExplicitUid ? `${kind} "${uid}"` : uid;
  const called = name === null ? '' : ` (${name})`;
  const more = summary === '' ? '' : `  ${summary}`;
  const side = sideOutput === null ? '' : `  of${sideText(sideOutput)}`;
  return `${title}${called}${more}${side}`;
}

function stateText({ tables, lists }: PlanOperator): string {
  return [
    ...tables.map(({ name, kind, version }) => `${name} (${kind} v${version})`),
    ...lists.map(({ name, redistribution }) => `${name} (list, ${redistribution})`),
  ].join(', ');
}

function sideText(sideOutput: string | null): string {
  return sideOutput === null ? '' : ` side output "${sideOutput}"`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
