import { InvalidJobError } from '../graph/job-errors.ts';
import type { StreamNode } from '../graph/stream-graph.ts';
import type { OperatorDraft, StreamGraphBuilder } from '../graph/stream-graph-builder.ts';
import { checkSize } from '../graph/validate-graph.ts';

/** Sets a size of an operator. @throws InvalidJobError unless it is a whole number, 1 or more */
export function setSize(
  builder: StreamGraphBuilder,
  operator: OperatorDraft,
  what: 'parallelism' | 'maxParallelism',
  size: number,
): void {
  builder.assertOpen(operator.uid);
  checkSize(size ?? Number.NaN, what, operator.uid, builder.jobName);
  operator[what] = size;
}

/** Sets how an operator may be chained; `never` is not softened to `head`. */
export function setChaining(
  builder: StreamGraphBuilder,
  operator: OperatorDraft,
  chaining: Exclude<StreamNode['chaining'], 'always'>,
): void {
  builder.assertOpen(operator.uid);
  if (operator.chaining !== 'never') operator.chaining = chaining;
}

/** Sets the display name. @throws InvalidJobError unless it is a string with something in it */
export function setName(builder: StreamGraphBuilder, operator: OperatorDraft, name: string): void {
  builder.assertOpen(operator.uid);
  if (typeof name !== 'string' || name.trim() === '') {
    throw new InvalidJobError(
      `the display name of operator "${operator.uid}" is not a string with something in it`,
      { job: builder.jobName, operatorUid: operator.uid },
    );
  }
  operator.name = name;
}
