import type {
  CheckpointOptions,
  MemoryOptions,
  RestartStrategy,
  TuningOptions,
} from '@millrace/core';

// A plan is plain data: it can be printed, shrunk and run again. Everything in it is drawn from a
// seed (draw-plan.ts).

/** One thing that happens to the processes of a life at a given turn. */
export type PlannedEvent =
  /**
   * Another process is started while those before it live on: it takes the job over, at once or,
   * standing by, when they give no sign of life.
   */
  | { readonly atTurn: number; readonly kind: 'rival'; readonly isStandby: boolean }
  /** A process stops in the middle of everything, and goes on later; 0 is the first one. */
  | { readonly atTurn: number; readonly kind: 'pause' | 'resume'; readonly process: number }
  /** The wall clock is set. */
  | { readonly atTurn: number; readonly kind: 'clock'; readonly byMs: number }
  /** No byte more fits on the disk, until there is room again. */
  | { readonly atTurn: number; readonly kind: 'full' | 'room' }
  /** Somebody asks the youngest process for it. */
  | {
      readonly atTurn: number;
      readonly kind: 'checkpoint' | 'savepoint' | 'stop' | 'stop-savepoint' | 'cancel';
    };

/** Faults that come by chance: one call in so many; 0: never. */
export interface FaultRates {
  /** A function of the user throws. */
  readonly userEvery: number;
  /** A call of the file system fails, before or after it took effect. */
  readonly ioEvery: number;
  /** A background job dies. */
  readonly threadEvery: number;
  /** A commit is refused for now, or its answer is lost before or after it took effect. */
  readonly commitEvery: number;
  /** The sink says that it is full, for a while. */
  readonly slowSinkEvery: number;
  /** A call of the object store or the broker fails, throttles, or its outcome is unknown. */
  readonly serverEvery: number;
}

/** From the start of a process to its death, with all that lives beside it. */
export interface LifePlan {
  readonly parallelism: number;
  readonly checkpoints: Omit<CheckpointOptions, 'directory'>;
  readonly tuning: Required<TuningOptions>;
  /** What the state may take; a few thousand bytes make it evict and spill all the time. */
  readonly memory: MemoryOptions;
  /** What the process does after a failure. */
  readonly restart: RestartStrategy;
  /** The longest that I/O takes. */
  readonly maxDelayMs: number;
  readonly rates: FaultRates;
  /** In order of turn. */
  readonly events: readonly PlannedEvent[];
  /** After so many turns it ends, if the job has not ended before; Infinity: never. */
  readonly turns: number;
  /** `power`: what was not synced is lost, torn or kept. `kill`: the system lives on. */
  readonly end: 'power' | 'kill';
  /** A bit of this is flipped afterwards; the next start must say so. Then it is put right. */
  readonly damage: 'none' | 'manifest' | 'run' | 'slot';
}

/** All that happens to a job. The last life has no faults and no end. */
export interface FaultPlan {
  readonly seed: number;
  /** How much input there is; the job says what it means. 1 is the normal size. */
  readonly inputSize: number;
  readonly lives: readonly LifePlan[];
}

/** No fault at all. */
export const NO_RATES: FaultRates = {
  userEvery: 0,
  ioEvery: 0,
  threadEvery: 0,
  commitEvery: 0,
  slowSinkEvery: 0,
  serverEvery: 0,
};

/** A life in which nothing goes wrong, with the sizes that a run without faults has. */
export const CLEAN_LIFE: LifePlan = {
  parallelism: 2,
  checkpoints: { intervalMs: 25, tolerableFailures: 1_000 },
  tuning: {
    batchSize: 3,
    turnMs: 2,
    elementsPerTurn: 1,
    channelCapacity: 2,
    tickIntervalMs: 20,
  },
  memory: {},
  restart: { kind: 'fixedDelay', attempts: 1_000_000, delayMs: 10 },
  maxDelayMs: 3,
  rates: NO_RATES,
  events: [],
  turns: Number.POSITIVE_INFINITY,
  end: 'kill',
  damage: 'none',
};
