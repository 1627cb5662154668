import type { Redistribution } from '../state/snapshot.ts';

/**
 * Deals the elements of a list out to the subtasks of a restored operator. Pure; O(elements), for
 * `union` O(elements x newParallelism).
 *
 * - `split`: with unchanged parallelism everyone keeps its own, however unbalanced (splits would
 *   move between readers at every restart otherwise). Else in order, and sizes differ by at most 1.
 * - `union`: everyone gets everything.
 * - `broadcast`: everyone gets one copy: its own, or of the new ones the next in turn. A subtask
 *   that had none gets another's (Flink may give it two).
 *
 * @param old elements by old subtask
 * @returns elements by new subtask
 */
export function redistribute<T>(
  mode: Redistribution,
  old: readonly (readonly T[])[],
  newParallelism: number,
): T[][] {
  const subtasks = Array.from({ length: newParallelism }, (_, index) => index);
  switch (mode) {
    case 'split':
      return old.length === newParallelism
        ? old.map((elements) => [...elements])
        : split(old.flat(), newParallelism);
    case 'union':
      return subtasks.map(() => old.flat());
    case 'broadcast': {
      const copies = old.filter((elements) => elements.length > 0);
      return subtasks.map((index) => {
        const own = old[index % old.length] ?? [];
        return [...(own.length > 0 ? own : (copies[index % copies.length] ?? []))];
      });
    }
  }
}

function split<T>(elements: readonly T[], parts: number): T[][] {
  const share = Math.floor(elements.length / parts);
  const larger = elements.length % parts;
  let from = 0;
  return Array.from({ length: parts }, (_, index) => {
    const to = from + share + (index < larger ? 1 : 0);
    const part = elements.slice(from, to);
    from = to;
    return part;
  });
}
