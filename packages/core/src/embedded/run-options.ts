import type { RestoreMode } from '../coordinator/recovery.ts';
import type { Environment } from '../base/environment.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { CheckpointOptions } from '../config/checkpoint-options.ts';
import type { MemoryOptions } from '../config/memory-options.ts';
import type { RestartStrategy } from '../config/restart-strategy.ts';
import type { ChannelObserver } from '../task/channel/observed-channel.ts';
import type { JobEvent } from './job-execution.ts';

/** How a job is run. Checked as a whole before anything starts (InvalidOptionError). */
export interface RunOptions {
  /** What the job's function gets; the graph may depend on nothing else. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default 1. */
  readonly parallelism?: number;
  /** Default: Flink's rule, at least 128. Recorded in snapshots; a restore cannot change it. */
  readonly maxParallelism?: number;
  /** Left out: no checkpoints, so a failure starts the job from the beginning. */
  readonly checkpoints?: CheckpointOptions;
  /** How much of the state stays in memory. */
  readonly memory?: MemoryOptions;
  /** Default: exponential delay. */
  readonly restart?: RestartStrategy;
  /**
   * Where to begin: `latest` (default) = the latest complete checkpoint of this job if there is
   * one; `none` = fresh; else a checkpoint, a savepoint directory or a manifest file.
   */
  readonly from?: string;
  /**
   * What becomes of a snapshot in another directory that `from` names. `no-claim` (default): the
   * job copies it while it runs; the event `snapshotReleased` says when it is not needed any more.
   * `claim`: it is the job's own from now on, used in place and deleted in the end.
   */
  readonly restoreMode?: RestoreMode;
  /** Go back behind the newest checkpoint although its output is already out. */
  readonly allowDuplicates?: boolean;
  /** Drop state of the snapshot whose operator or table is not in the job any more. */
  readonly allowDroppedState?: boolean;
  /** Exactly-once on a storage without create-if-absent: the user vouches for one writer. */
  readonly assumeSingleWriter?: boolean;
  /** Wait until the current owner is gone instead of taking over at once. */
  readonly standby?: boolean;
  /** Gets every event from the first on; `standingBy` and `claimed` come before `run` resolves. */
  readonly onEvent?: (event: JobEvent) => void;
  /** Default: local time of the real world. The simulator gives a virtual one. */
  readonly environment?: Environment;
  /** Default: the driver that fits the checkpoint directory. */
  readonly storage?: CheckpointStorage;
  /** Default true: chains with generated loops; false: the plain interpreter. */
  readonly generateCode?: boolean;
  /** Freeze every emitted and stored value, to find functions that change them. For tests; slow. */
  readonly freezeValues?: boolean;
  /** Sees everything that goes from task to task. For tests. */
  readonly observeChannel?: ChannelObserver;
  /** How the host works; no effect on results. */
  readonly tuning?: TuningOptions;
}

/** Sizes of the host's moving parts. The defaults were measured; tests take small ones. */
export interface TuningOptions {
  /** Records of a batch. Default 1 024. */
  readonly batchSize?: number;
  /** Milliseconds after which a task gives the thread back. Default 2. */
  readonly turnMs?: number;
  /** Batches and control elements a task takes per turn. Default: no limit. */
  readonly elementsPerTurn?: number;
  /** Batches in flight between two tasks. Default 16. */
  readonly channelCapacity?: number;
  /** Between two looks at quiet sources and at files to be rolled. Default 200. */
  readonly tickIntervalMs?: number;
}
