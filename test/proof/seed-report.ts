// What the processes of the proof tell each other: plain data.
import type { Problem } from '@millrace/testing/campaign';

/** Seeds to run. */
export interface WorkOrder {
  readonly seeds: readonly number[];
  /** null: each seed has its own job. */
  readonly jobName: string | null;
}

/** What came of one seed. */
export interface SeedReport {
  readonly seed: number;
  readonly job: string;
  /** null: it counts; else why not. */
  readonly uncounted: string | null;
  readonly turns: number;
  readonly crashes: number;
  readonly checkpoints: number;
  readonly virtualMs: number;
  readonly faults: readonly (readonly [string, number])[];
  /** Edges of the engine's state machines taken since the report before. */
  readonly edges: readonly (readonly [string, number])[];
  readonly problems: readonly Problem[];
}
