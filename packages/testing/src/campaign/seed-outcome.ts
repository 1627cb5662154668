import type { FaultPlan } from './fault-plan.ts';

/** Something that must not be. */
export interface Problem {
  /** Which check found it, for example `output`. */
  readonly oracle: string;
  readonly message: string;
}

/** One line of what happened, for people. */
export interface StoryLine {
  readonly life: number;
  readonly turn: number;
  /** Virtual time since the beginning. */
  readonly atMs: number;
  readonly text: string;
}

/** What came of one seed. */
export interface SeedOutcome {
  readonly job: string;
  readonly plan: FaultPlan;
  /** Empty: nothing was lost, nothing doubled, no rule broken. */
  readonly problems: readonly Problem[];
  /** null: it counts; else why it was not hard enough to count. */
  readonly uncounted: string | null;
  readonly turns: number;
  /** Powers lost and processes killed. */
  readonly crashes: number;
  /** Checkpoints completed. */
  readonly checkpoints: number;
  readonly virtualMs: number;
  /** How often each kind of fault struck. */
  readonly faults: ReadonlyMap<string, number>;
  /** Equal for equal plans: over every line of every trace. */
  readonly digest: string;
  readonly story: readonly StoryLine[];
}
