import assert from 'node:assert';
import {
  DEFAULT_MAX_PARALLELISM,
  type Key,
  keyGroupOf,
  MAX_WATERMARK,
  type MetricGroup,
  MIN_WATERMARK,
  type Operator,
  type OperatorSnapshot,
  type SnapshotKind,
  subtaskOf,
} from '@millrace/core/host';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { HarnessInput, HarnessOutput } from './harness-elements.ts';
import { MemoryRunStore } from './memory-run-store.ts';
import { OperatorSubtask, type SubtaskRestore } from './operator-subtask.ts';
import { redistributeLists } from './redistribute-lists.ts';

/** How an operator is run in a harness. */
export interface HarnessOptions {
  /** Default 1. */
  readonly parallelism?: number;
  /** Default 128. */
  readonly maxParallelism?: number;
  /**
   * The key by which a record finds its subtask; null: it goes to every subtask (a broadcast side).
   * Left out: records are dealt out in turn.
   */
  readonly keyOf?: (value: unknown, input: number) => Key | null;
  /** `shouldYield` says true on every other call. Default false. */
  readonly yieldOften?: boolean;
  /** What the state of each subtask may take; default: no limit. */
  readonly stateBytes?: number;
  /** Values held in state are frozen, so that a change in place fails at once. Default true. */
  readonly freezeValues?: boolean;
  /** Processing time at the start. Default 0. */
  readonly startMs?: number;
}

/** State of all subtasks, in the order of their index. */
export interface HarnessSnapshot {
  readonly subtasks: readonly OperatorSnapshot[];
}

/** What is left in an operator, over all subtasks. */
export interface Inspection {
  readonly eventTimers: number;
  readonly processingTimers: number;
  /** No keyed state but timers; what has expired and is not cleaned up counts. */
  readonly stateEmpty: boolean;
}

/**
 * Drives one operator, in one or several subtasks, with real state, timers and snapshots, but
 * without a job around it. Everything is virtual and deterministic.
 *
 * The clock stands still unless it is given `clock(t)`.
 */
export class OperatorHarness {
  readonly environment: VirtualEnvironment;
  readonly #make: () => Operator;
  readonly #options: HarnessOptions;
  readonly #maxParallelism: number;
  readonly #runStore = new MemoryRunStore();
  #subtasks: OperatorSubtask[] = [];
  #outputs: HarnessOutput[] = [];
  readonly #metrics: MetricGroup[] = [];
  #nextCheckpointId = 1;
  #dealt = 0;

  private constructor(make: () => Operator, options: HarnessOptions) {
    this.#make = make;
    this.#options = options;
    this.#maxParallelism = options.maxParallelism ?? DEFAULT_MAX_PARALLELISM;
    this.environment = new VirtualEnvironment({
      clock: 'manual',
      maxDelayMs: 0,
      startMs: options.startMs ?? 0,
    });
  }

  /** @param make makes a new object of the operator on every call */
  static async open(make: () => Operator, options: HarnessOptions = {}): Promise<OperatorHarness> {
    const harness = new OperatorHarness(make, options);
    await harness.#start(options.parallelism ?? 1, null);
    return harness;
  }

  get parallelism(): number {
    return this.#subtasks.length;
  }

  /** The counter of that name, summed over all subtasks that there were. */
  counter(name: string): number {
    return this.#metrics.reduce((sum, metrics) => sum + metrics.counter(name).value, 0);
  }

  /** Lets asynchronous work end that can, and the operator take it in. */
  async settle(): Promise<void> {
    for (const subtask of this.#subtasks) await subtask.settle();
  }

  /** Gives the operator one element, and lets everything happen that follows from it. */
  async give(element: HarnessInput): Promise<void> {
    if (element.kind === 'record') {
      const receivers = await this.#send(element);
      for (const subtask of receivers) await subtask.settle();
      return;
    }
    if (element.kind === 'clock') await this.environment.advanceTo(element.timeMs);
    for (const subtask of this.#subtasks) {
      if (element.kind === 'watermark') await subtask.watermark(element.input, element.timeMs);
      else if (element.kind === 'status') await subtask.status(element.input, element.idle);
      else if (element.kind === 'clock') await subtask.processingTime(element.timeMs);
      else {
        await subtask.watermark(null, MAX_WATERMARK);
        await subtask.endInput();
      }
    }
  }

  /** Gives records one after the other, without a turn for anything else in between. */
  async giveBatch(records: readonly (HarnessInput & { kind: 'record' })[]): Promise<void> {
    for (const element of records) await this.#send(element);
    for (const subtask of this.#subtasks) await subtask.settle();
  }

  /** What came out since the last call, in order. */
  takeOutputs(): HarnessOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** Takes a snapshot of all subtasks, and completes it. */
  async snapshot(kind: SnapshotKind = 'checkpoint'): Promise<HarnessSnapshot> {
    const checkpointId = this.#nextCheckpointId++;
    const subtasks: OperatorSnapshot[] = [];
    for (const one of this.#subtasks) {
      subtasks.push((await one.snapshot(checkpointId, kind, 'complete'))!);
    }
    for (const one of this.#subtasks) await one.checkpointComplete(checkpointId);
    return { subtasks };
  }

  /** A checkpoint that fails elsewhere: frozen here, and discarded. */
  async abortedSnapshot(): Promise<void> {
    const checkpointId = this.#nextCheckpointId++;
    for (const one of this.#subtasks) await one.snapshot(checkpointId, 'checkpoint', 'abort');
  }

  /** Throws all subtasks away and makes new ones of the snapshot. Watermarks begin anew. */
  async restore(snapshot: HarnessSnapshot, parallelism = this.parallelism): Promise<void> {
    for (const subtask of this.#subtasks) await subtask.close();
    await this.#start(parallelism, snapshot);
  }

  /** `snapshot` and `restore` at once; `parallelism`: with so many subtasks. */
  async snapshotRestore(parallelism = this.parallelism, kind?: SnapshotKind): Promise<void> {
    await this.restore(await this.snapshot(kind), parallelism);
  }

  /**
   * Like `snapshotRestore`, and then gives every input its watermark and status again, so that the
   * restart does not show (unless `restartWouldShow`).
   */
  async restartUnseen(parallelism = this.parallelism, kind?: SnapshotKind): Promise<void> {
    const { inputWatermarks, inputsIdle } = this.#subtasks[0]!;
    await this.snapshotRestore(parallelism, kind);
    for (const subtask of this.#subtasks) {
      for (const [input, timeMs] of inputWatermarks.entries()) {
        if (timeMs !== MIN_WATERMARK) await subtask.watermark(input, timeMs);
        if (inputsIdle[input]) await subtask.status(input, true);
      }
    }
  }

  /**
   * Whether a restart would show, because watermarks are not in snapshots: a timer was registered
   * behind the watermark and waits for the next one, or the operator holds back a watermark.
   */
  get restartWouldShow(): boolean {
    return this.#subtasks.some((one) => one.isBehind);
  }

  /** Live timers, and whether other state is left. */
  async inspect(): Promise<Inspection> {
    let eventTimers = 0;
    let processingTimers = 0;
    let stateEmpty = true;
    for (const one of this.#subtasks) {
      const timers = one.timers();
      eventTimers += timers.event;
      processingTimers += timers.processing;
      stateEmpty = (await one.stateIsEmpty()) && stateEmpty;
    }
    return { eventTimers, processingTimers, stateEmpty };
  }

  /** Closes the operators. */
  async close(): Promise<void> {
    for (const subtask of this.#subtasks) await subtask.close();
    this.#subtasks = [];
  }

  async #start(parallelism: number, snapshot: HarnessSnapshot | null): Promise<void> {
    const { yieldOften = false, freezeValues = true, stateBytes = Infinity } = this.#options;
    const shares = snapshot === null ? null : sharesOf(snapshot, parallelism);
    this.#subtasks = [];
    for (let subtaskIndex = 0; subtaskIndex < parallelism; subtaskIndex++) {
      const subtask = new OperatorSubtask({
        operator: this.#make(),
        subtaskIndex,
        parallelism,
        maxParallelism: this.#maxParallelism,
        environment: this.environment,
        runStore: this.#runStore,
        yieldOften,
        stateBytes,
        freezeValues,
        emit: (output) => this.#outputs.push(output),
      });
      this.#subtasks.push(subtask);
      this.#metrics.push(subtask.metrics);
      await subtask.open(shares?.[subtaskIndex] ?? null);
    }
  }

  async #send(element: HarnessInput & { kind: 'record' }): Promise<readonly OperatorSubtask[]> {
    const { value, timestampMs, input } = element;
    const receivers = this.#receivers(value, input);
    for (const subtask of receivers) await subtask.process(input, value, timestampMs);
    return receivers;
  }

  #receivers(value: unknown, input: number): readonly OperatorSubtask[] {
    const count = this.#subtasks.length;
    if (this.#options.keyOf === undefined) return [this.#subtasks[this.#dealt++ % count]!];
    const key = this.#options.keyOf(value, input);
    if (key === null) return this.#subtasks;
    const keyGroup = keyGroupOf(key, this.#maxParallelism);
    const subtask = this.#subtasks[subtaskOf(keyGroup, this.#maxParallelism, count)];
    assert.ok(subtask !== undefined, 'every key group has a subtask');
    return [subtask];
  }
}

// Every new subtask reads all runs and takes out its key groups; lists are dealt out.
function sharesOf(snapshot: HarnessSnapshot, parallelism: number): SubtaskRestore[] {
  const keyed = snapshot.subtasks.flatMap((one) => one.keyed ?? []);
  const first = keyed[0];
  const lists = redistributeLists(
    snapshot.subtasks.map((one) => one.lists),
    parallelism,
  );
  return lists.map((share) => ({
    keyed: first === undefined ? null : { ...first, runs: keyed.flatMap((one) => one.runs) },
    lists: share,
  }));
}
