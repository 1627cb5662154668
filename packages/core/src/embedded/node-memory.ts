import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { MemoryBudget } from '../state/memory-budget.ts';

/** Of the heap limit: the rest is for batches, windows, code, and garbage between collections. */
const HEAP_SHARE = 0.5;
/** Of the machine or the container: blocks and chunks lie outside the heap. */
const MACHINE_SHARE = 0.4;
/** So many looks back: the least of them is about what lives after a collection. */
const LOOKS = 25;

/** How much memory a process has, for state. */
export function defaultStateBytes(): number {
  const { heap_size_limit: heapLimit } = getHeapStatistics();
  const constrained = process.constrainedMemory();
  const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.floor(Math.min(heapLimit * HEAP_SHARE, machine * MACHINE_SHARE));
}

let shared: MemoryBudget | null = null;

/** The budget of all jobs of this thread that were given none of their own. */
export function threadMemory(): MemoryBudget {
  shared ??= new MemoryBudget(defaultStateBytes());
  return shared;
}

/** Looks at the real heap. */
export interface HeapGauge {
  /** How full the heap is after collections, 0 to 1. Called about five times a second. */
  share(): number;
}

/** The heap of this thread. */
export function heapGauge(): HeapGauge {
  const looks: number[] = [];
  return {
    share() {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      looks.push(used / limit);
      if (looks.length > LOOKS) looks.shift();
      return looks.length < LOOKS ? 0 : Math.min(...looks);
    },
  };
}
