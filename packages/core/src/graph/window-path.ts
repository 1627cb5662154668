import { defaultTrigger } from '../function/window-assigners.ts';
import type { WindowSpec } from './operator-spec.ts';

/**
 * Which operator runs a window:
 *
 * - `tumbling`: event time, default trigger, reduce or aggregate;
 * - `sliding`: the same, an aggregate with `merge`, no allowed lateness: cut into slices, so that a
 *   record costs the same whatever size / slide. (A reduce may depend on the order of arrival,
 *   which slices do not keep.)
 * - `session`: event time, default trigger, reduce or aggregate with `merge`, no allowed lateness;
 * - `general`: everything else.
 */
export type WindowPath = 'tumbling' | 'sliding' | 'session' | 'general';

/** Pure: graph and task must agree, because the path decides what a snapshot holds. */
export function windowPathOf(spec: WindowSpec): WindowPath {
  const { assigner, body, windowFunction } = spec;
  if (assigner.kind === 'global' || assigner.time !== 'event') return 'general';
  if (spec.trigger !== null && spec.trigger !== defaultTrigger(assigner)) return 'general';
  if (spec.evictor !== null || body.kind === 'collect') return 'general';
  if (Object.keys(windowFunction?.state ?? {}).length > 0) return 'general';
  if (assigner.kind === 'tumbling') return 'tumbling';
  if (spec.allowedLatenessMs > 0) return 'general';
  const merges = body.kind === 'aggregate' && body.aggregate.merge !== undefined;
  if (assigner.kind === 'sliding') return merges ? 'sliding' : 'general';
  return merges || body.kind === 'reduce' ? 'session' : 'general';
}
