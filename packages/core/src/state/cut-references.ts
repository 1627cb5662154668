import type { KeyGroupRange } from '../element/key-group.ts';
import type { RunReference } from './snapshot.ts';

/**
 * The references cut to the key groups of a subtask; those that have none of them are left out. A
 * run may hold more, also such as another subtask has newer entries for: what is not owned must
 * not come back with the next rescale.
 */
export function cutReferences(
  references: readonly RunReference[],
  range: KeyGroupRange,
): readonly RunReference[] {
  const cut: RunReference[] = [];
  for (const reference of references) {
    const first = Math.max(range.first, reference.keyGroups.first);
    const last = Math.min(range.last, reference.keyGroups.last);
    if (first <= last) cut.push({ ...reference, keyGroups: { first, last } });
  }
  return cut;
}
