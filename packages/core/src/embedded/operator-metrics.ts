import type { HistogramSummary } from '../metrics/registry.ts';
import type { DeployedTask } from './deployment.ts';
import type { OperatorMetrics } from './job-execution.ts';

/** The figures of all operators, summed over their subtasks, in the order of the graph. */
export function operatorMetrics(tasks: readonly DeployedTask[]): OperatorMetrics[] {
  const byUid = new Map<string, OperatorMetrics[]>();
  for (const { vertex, task } of tasks) {
    for (const { node } of vertex.operators) {
      const read = task.metrics.get(node.uid)?.read() ?? {};
      const { recordsIn, recordsOut, watermarkMs, ...more } = read;
      const one: OperatorMetrics = {
        uid: node.uid,
        kind: node.spec.kind,
        parallelism: vertex.parallelism,
        recordsIn: Number(recordsIn),
        recordsOut: Number(recordsOut),
        watermarkMs: Number(watermarkMs),
        more,
      };
      byUid.set(node.uid, [...(byUid.get(node.uid) ?? []), one]);
    }
  }
  return [...byUid.values()].map((ones) => ones.reduce(add));
}

function add(a: OperatorMetrics, b: OperatorMetrics): OperatorMetrics {
  const more: Record<string, number | HistogramSummary> = { ...a.more };
  for (const [name, value] of Object.entries(b.more)) {
    const other = more[name];
    more[name] = typeof other === 'number' && typeof value === 'number' ? other + value : value;
  }
  return {
    ...a,
    recordsIn: a.recordsIn + b.recordsIn,
    recordsOut: a.recordsOut + b.recordsOut,
    watermarkMs: Math.min(a.watermarkMs, b.watermarkMs),
    more,
  };
}
