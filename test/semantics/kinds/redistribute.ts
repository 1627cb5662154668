import { redistribute } from '../../../packages/core/src/checkpoint/redistribute.ts';
import { type CaseKind, dataOf, notSupported, nothingObserved, numberOf } from '../case.ts';

/** How lists of operator state are dealt out to a new number of subtasks. */
export const redistributeKind: CaseKind = {
  name: 'redistribute',
  variants: ({ job, expect }) => [
    {
      name: 'as given',
      run: async () => {
        const { mode, old, newParallelism } = dataOf(job.redistribute);
        if (mode !== 'split' && mode !== 'union' && mode !== 'broadcast') {
          return notSupported(`redistribution ${String(mode)}`);
        }
        const lists = old as readonly (readonly string[])[];
        const count = numberOf(newParallelism);
        const assignments = redistribute(mode, lists, count);
        const observed = nothingObserved();
        // For a changed parallelism the cut is free: every element once, sizes differ by at most 1.
        const isFree = mode === 'split' && count !== lists.length;
        const isFair = isFree && isEvenlyDealt(lists.flat(), assignments);
        observed.items.push(isFair ? expect[0]! : { assignments });
        return observed;
      },
    },
  ],
};

function isEvenlyDealt(all: readonly string[], dealt: readonly (readonly string[])[]): boolean {
  const sizes = dealt.map((elements) => elements.length);
  const everything = dealt.flat().sort().join('\n');
  return everything === [...all].sort().join('\n') && Math.max(...sizes) - Math.min(...sizes) <= 1;
}
