import type { Environment } from '../base/environment.ts';
import type { Attempt } from '../element/element.ts';
import type { JobVertex } from '../graph/job-graph.ts';
import type { StreamEdge } from '../graph/stream-graph.ts';
import type { MemoryBudget } from '../state/memory-budget.ts';
import type { RunStore } from '../state/run-store.ts';
import type { KeyedStateRestore, OperatorListSnapshot } from '../state/snapshot.ts';
import type { ChannelSender } from './channel/channel.ts';

/** What a task asks of whoever drives it. None of these calls enters the task again. */
export interface TaskHost {
  /** There is something to do that the host cannot see: asynchronous work has completed. */
  requestTurn(): void;
  /** The task has failed outside a turn. */
  fail(error: unknown): void;
  /** The turn's time is up. Cheap: asked between two keys of a sweep and every few records. */
  turnIsOver(): boolean;
  /** A source reader asks its enumerator for splits. */
  requestSplits(operatorUid: string): void;
}

/** State that an operator subtask begins with; its runs have not been read. */
export interface RestoredOperator {
  readonly keyed: KeyedStateRestore | null;
  readonly lists: readonly OperatorListSnapshot[];
  /** Its input had ended and been handled before the snapshot. */
  readonly finished: boolean;
}

/** A stream that leaves the task. */
export interface TaskOutput {
  readonly edge: StreamEdge;
  readonly channels: readonly ChannelSender[];
  /** Of the vertex downstream. */
  readonly maxParallelism: number;
}

/** Who the task is in the world outside; part of names of output. */
export interface TaskIdentity {
  readonly jobName: string;
  readonly instanceId: string;
  readonly generation: number;
  readonly attempt: Attempt;
}

/** Everything a task is built from. */
export interface TaskOptions {
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  readonly identity: TaskIdentity;
  readonly environment: Environment;
  readonly host: TaskHost;
  readonly outputs: readonly TaskOutput[];
  readonly runStore: RunStore;
  /** For the state of all tasks of the thread. */
  readonly memory: MemoryBudget;
  /** By operator uid; null: the job starts fresh. */
  readonly restored: ReadonlyMap<string, RestoredOperator> | null;
  readonly settings: TaskSettings;
}

/** How a task works, without effect on what it computes. */
export interface TaskSettings {
  /** Records of a batch; also the most that a source is asked for at once. */
  readonly batchSize: number;
  readonly generateCode: boolean;
  readonly freezeValues: boolean;
}

/** What a task leaves behind in the turn of a barrier; `persist` makes a snapshot of it. */
export interface FrozenTask {
  readonly checkpointId: number;
}
