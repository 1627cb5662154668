import { CHECKPOINT_MUTANTS } from './checkpoint-mutants.ts';
import type { Mutant } from './mutant.ts';
import { SINK_MUTANTS } from './sink-mutants.ts';
import { STATE_MUTANTS } from './state-mutants.ts';
import { TASK_MUTANTS } from './task-mutants.ts';

/** All bugs that the campaign is tried on. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  ...CHECKPOINT_MUTANTS,
  ...TASK_MUTANTS,
  ...STATE_MUTANTS,
  ...SINK_MUTANTS,
];
