import type { OperatorMetrics } from '@millrace/core';
import { formatWhole } from './figures.ts';

/** What has become of single records, by the name of its counter (docs/reference/metrics.md). */
const losses: ReadonlyMap<string, string> = new Map([
  ['malformedRecordsSkipped', 'malformed and skipped'],
  ['malformedRecordsDeadLettered', 'malformed and dead-lettered'],
  ['lateRecordsDropped', 'late and dropped'],
  ['commitsRejected', 'commits rejected by the target'],
]);

/**
 * What a job has done, a line for each source, sink, and operator that lost records. Pure.
 *
 *     orders: 3 000 records read, 2 malformed and skipped
 *     revenue: 14 late and dropped
 *     totals: 120 records written
 *
 * @param isCommitted whether all that the sinks took in is visible; else they say `taken in`
 */
export function totalsLines(metrics: readonly OperatorMetrics[], isCommitted: boolean): string[] {
  return metrics.flatMap(({ uid, kind, recordsIn, recordsOut, more }) => {
    const parts: string[] = [];
    if (kind === 'source') parts.push(`${records(recordsOut)} read`);
    if (kind === 'sink')
      parts.push(`${records(recordsIn)} ${isCommitted ? 'written' : 'taken in'}`);
    for (const [name, text] of losses) {
      const count = more[name];
      if (typeof count === 'number' && count > 0) parts.push(`${formatWhole(count)} ${text}`);
    }
    return parts.length === 0 ? [] : [`${uid}: ${parts.join(', ')}`];
  });
}

function records(count: number): string {
  return `${formatWhole(count)} record${count === 1 ? '' : 's'}`;
}
