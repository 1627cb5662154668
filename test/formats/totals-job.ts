import { fromArray, type MemorySink } from '@millrace/connectors';
import { job } from '@millrace/core';

const NUMBERS = Array.from({ length: 120 }, (_, number) => number);

/** What the sums of `totalsJob` are in the end, by key. */
export const FINAL_SUMS: ReadonlyMap<number, number> = new Map(
  [0, 1, 2].map((key) => [
    key,
    NUMBERS.filter((number) => number % 3 === key).reduce((a, b) => a + b),
  ]),
);

/** The job that wrote `checkpoint-v2` when it had read a part of its input; not to be changed. */
export function totalsJob(sink: MemorySink<{ key: number; sum: number }>) {
  return job('totals', (flow) => {
    flow
      .from('numbers', fromArray(NUMBERS))
      .map((number) => ({ key: number % 3, sum: number }))
      .keyBy(({ key }) => key)
      .reduce('sums', (a, b) => ({ key: a.key, sum: a.sum + b.sum }))
      .to('out', sink);
  });
}
