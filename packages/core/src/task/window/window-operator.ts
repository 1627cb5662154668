import { checkWindow } from '../../function/window-assigners.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import { windowPathOf } from '../../graph/window-path.ts';
import type { Operator } from '../operator/operator.ts';
import { GeneralWindowOperator } from './general-window-operator.ts';
import { SessionWindowOperator } from './session-window-operator.ts';
import { SlidingWindowOperator } from './sliding-window-operator.ts';
import { TumblingWindowOperator } from './tumbling-window-operator.ts';

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
  switch (windowPathOf(spec)) {
    case 'tumbling':
      return new TumblingWindowOperator(spec);
    case 'sliding':
      return new SlidingWindowOperator(spec);
    case 'session':
      return new SessionWindowOperator(spec);
    case 'general':
      return new GeneralWindowOperator(spec);
  }
}

/** Whether the contents of two windows can become those of one, as sessions need it. */
function contentsMerge({ body, evictor }: WindowSpec): boolean {
  if (evictor !== null) return true; // keeps the records themselves
  return body.kind !== 'aggregate' || body.aggregate.merge !== undefined;
}
