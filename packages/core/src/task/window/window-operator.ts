import { checkWindow } from '../../function/window-assigners.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Operator } from '../operator/operator.ts';
import { GeneralWindowOperator } from './general-window-operator.ts';

/**
 * The operator of a keyed window.
 *
 * @throws InvalidWindowError if the window cannot work; the API has checked the same before
 */
export function createWindowOperator(spec: WindowSpec): Operator {
  checkWindow({
    assigner: spec.assigner,
    trigger: spec.trigger,
    allowedLatenessMs: spec.allowedLatenessMs,
    contentsMerge: contentsMerge(spec),
  });
  return new GeneralWindowOperator(spec);
}

/** Whether the contents of two windows can become those of one, as sessions need it. */
function contentsMerge({ body, evictor }: WindowSpec): boolean {
  if (evictor !== null) return true; // keeps the records themselves
  return body.kind !== 'aggregate' || body.aggregate.merge !== undefined;
}
