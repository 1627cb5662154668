import type { Environment } from '../../base/environment.ts';
import type { CheckpointId } from '../../element/element.ts';
import type { MetricGroup } from '../../metrics/registry.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { OperatorStateStore } from '../../state/operator-state.ts';
import type { OperatorListSnapshot } from '../../state/snapshot.ts';
import type { LoopRecord, LoopWriter } from './loop-writer.ts';

/** Where an operator's results go: the next operator of the chain, or a channel. */
export interface Output {
  emit(value: unknown, timestampMs: number): void;
}

/** What an operator may reach. Everything else is out of its reach on purpose. */
export interface OperatorContext {
  readonly operatorUid: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly attempt: number;
  readonly environment: Environment;
  readonly metrics: MetricGroup;
  readonly output: Output;
  /** The side output of that name; a sink that drops if nobody reads it. */
  sideOutput(name: string): Output;
  /** Of keyed operators; throws for others. */
  readonly keyed: KeyedStateStore;
  readonly operatorState: OperatorStateStore;
  /** True if the job was restored, even if this operator had nothing in the snapshot. */
  readonly isRestored: boolean;
  /** Asks for `onProcessingTime` at `timeMs`; the earliest wish counts, it may come later. */
  requestProcessingTime(timeMs: number): void;
  /** Only for operators with `holdsWatermark`: sends the watermark on, after what was emitted. */
  forwardWatermark(timeMs: number): void;
  /** Only for operators with `holdsWatermark`: their stream is idle, or active again. */
  forwardIdle?(idle: boolean): void;
  /** Asks for a turn in which `onWake` is called: asynchronous work has completed. */
  wake(): void;
  /** True when an output is full or the turn's time is up: stop between two keys and say false. */
  shouldYield(): boolean;
  /** Fails the task; for asynchronous errors. */
  fail(error: unknown): void;
}

/**
 * One operator of a chain: a passive object, called only inside a turn of its task.
 *
 *   open -> (process | watermark | clock | barrier | wake)* -> endInput* -> finish -> close
 *
 * O1. A method that returns a boolean is resumable: `false` = not done (see `shouldYield`); it is
 *     called again, with the same arguments, before any other method but `close`.
 * O2. Outputs of one call are handled downstream before the call returns.
 * O3. `prepareBarrier` may emit; nothing is emitted between it and the barrier.
 */
export interface Operator {
  /** True: the chain does not forward watermarks past it (mapAsync, assignTimestamps do it). */
  readonly holdsWatermark?: boolean;
  /** State is declared, loaded and restored here. */
  open(context: OperatorContext): void;
  /** A record of the first (or only) input. */
  process(value: unknown, timestampMs: number): void;
  /**
   * Statements that do what `process` does, to be written into the generated loop of the chain.
   * Asked once, after `open`. The text runs to its end: no `return`, `continue` or `break`.
   */
  inline?(loop: LoopWriter, record: LoopRecord): string;
  /** A record of the second input. */
  process2?(value: unknown, timestampMs: number): void;
  /**
   * The watermark over all inputs is now `timeMs` (greater than before): fire what is due. The
   * chain forwards it afterwards, unless `holdsWatermark`.
   */
  onWatermark?(timeMs: number): boolean;
  onProcessingTime?(nowMs: number): boolean;
  /** After `context.wake()`; may emit. */
  onWake?(): boolean;
  /** Whether the operator takes no record now (mapAsync at capacity, sink's buffer full). */
  isBlocked?(): boolean;
  /** One input has ended. */
  endInput?(input: number): void;
  /** All inputs have ended and the last watermark was handled; may emit. Resumable. */
  finish?(): boolean;
  /** Just before the barrier leaves. */
  prepareBarrier?(checkpointId: CheckpointId): void;
  /** In the turn of the barrier: writes operator state; the task freezes keyed state. */
  snapshot?(checkpointId: CheckpointId): void;
  /**
   * What must be durable before the acknowledgement, beside keyed state (a sink's files). Called
   * in the barrier's turn, after `snapshot`.
   *
   * @returns lists that are only known once it is durable (committables); they join the snapshot
   */
  persist?(checkpointId: CheckpointId): Promise<readonly OperatorListSnapshot[]>;
  notifyCheckpointComplete?(checkpointId: CheckpointId): void;
  notifyCheckpointAborted?(checkpointId: CheckpointId): void;
  /** Always called, also after a failure; must not emit. */
  close(): Promise<void> | void;
}
