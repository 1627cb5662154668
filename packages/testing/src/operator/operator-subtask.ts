import assert from 'node:assert';
import {
  type CombinedChange,
  CombinedWatermark,
  type KeyedStateSnapshot,
  keyGroupRangeOf,
  MemoryBudget,
  MetricGroup,
  MIN_WATERMARK,
  type Operator,
  type OperatorContext,
  type OperatorListSnapshot,
  type OperatorSnapshot,
  type OperatorStateStore,
  openKeyedStateStore,
  openOperatorStateStore,
  readRestoredRuns,
  type SnapshotKind,
} from '@millrace/core/host';
import type { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { HarnessOutput } from './harness-elements.ts';
import type { MemoryRunStore } from './memory-run-store.ts';
import { CountingStateStore } from './timer-census.ts';

/** A call that answers `false` this often without an end is a bug. */
const CONTINUATIONS_MAX = 10_000;

/** What one subtask is made of. */
export interface SubtaskOptions {
  readonly operator: Operator;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly environment: VirtualEnvironment;
  readonly runStore: MemoryRunStore;
  /** Says that the output is full on every other call. */
  readonly yieldOften: boolean;
  /** What its state may take. */
  readonly stateBytes: number;
  readonly freezeValues: boolean;
  readonly emit: (output: HarnessOutput) => void;
}

/** What a restored subtask begins with, cut to its share. */
export interface SubtaskRestore {
  readonly keyed: KeyedStateSnapshot | null;
  readonly lists: readonly OperatorListSnapshot[];
}

/**
 * One operator in place of its task: state, context, merged watermark, and the checks that a task
 * leaves to its operators' authors.
 */
export class OperatorSubtask {
  readonly #options: SubtaskOptions;
  readonly #operator: Operator;
  readonly inputCount: number;
  readonly metrics = new MetricGroup();
  readonly #memory: MemoryBudget;
  readonly #watermarks: number[];
  readonly #idle: boolean[];
  readonly #combined: CombinedWatermark;
  #forwardedMs = MIN_WATERMARK;
  #keyed: CountingStateStore | null = null;
  #operatorState!: OperatorStateStore;
  #restored: KeyedStateSnapshot | null = null;
  #isRestored = false;
  #nextProcessingTimeMs = Number.POSITIVE_INFINITY;
  #woken = false;
  #yieldTurn = false;
  /** Between `prepareBarrier` and the barrier. */
  #sealed = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: SubtaskOptions) {
    this.#options = options;
    this.#operator = options.operator;
    this.#memory = new MemoryBudget(options.stateBytes);
    this.inputCount = options.operator.process2 === undefined ? 1 : 2;
    this.#watermarks = new Array<number>(this.inputCount).fill(MIN_WATERMARK);
    this.#idle = new Array<boolean>(this.inputCount).fill(false);
    this.#combined = new CombinedWatermark(this.inputCount);
  }

  get subtaskIndex(): number {
    return this.#options.subtaskIndex;
  }

  async open(restore: SubtaskRestore | null): Promise<void> {
    this.#isRestored = restore !== null;
    this.#restored = restore?.keyed ?? null;
    this.#operatorState = openOperatorStateStore(restore?.lists ?? []);
    this.#operator.open(this.#context());
    await this.settle();
  }

  async process(input: number, value: unknown, timestampMs: number): Promise<void> {
    for (let waits = 0; this.#operator.isBlocked?.() === true; waits++) {
      assert.ok(waits < 1_000, 'the operator is blocked and nothing happens that could free it');
      await this.settle();
    }
    this.#memory.relieve();
    if (input === 0) this.#operator.process(value, timestampMs);
    else this.#operator.process2!(value, timestampMs);
  }

  async watermark(input: number | null, timeMs: number): Promise<void> {
    for (const each of this.#inputs(input)) {
      if (timeMs > this.#watermarks[each]!) this.#watermarks[each] = timeMs;
      await this.#apply(this.#combined.onWatermark(each, timeMs));
    }
  }

  async status(input: number | null, idle: boolean): Promise<void> {
    for (const each of this.#inputs(input)) {
      this.#idle[each] = idle;
      await this.#apply(this.#combined.onIdle(each, idle));
    }
  }

  /** The clock has moved to `nowMs`. */
  async processingTime(nowMs: number): Promise<void> {
    if (nowMs < this.#nextProcessingTimeMs) return;
    this.#nextProcessingTimeMs = Number.POSITIVE_INFINITY;
    await this.#complete(() => this.#operator.onProcessingTime?.(nowMs) ?? true);
    await this.settle();
  }

  async endInput(): Promise<void> {
    for (let input = 0; input < this.inputCount; input++) this.#operator.endInput?.(input);
    await this.#complete(() => this.#operator.finish?.() ?? true);
    await this.settle();
  }

  /** Runs asynchronous work that can end now, and the turns that it asks for. */
  async settle(): Promise<void> {
    const { environment } = this.#options;
    await environment.runReady();
    while (this.#woken) {
      this.#woken = false;
      await this.#complete(() => this.#operator.onWake?.() ?? true);
      await environment.runReady();
    }
    if (this.#failure !== null) throw this.#failure.error;
  }

  /**
   * The turn of a barrier, then what follows it.
   *
   * @param outcome `abort`: the state is frozen and discarded, as when a checkpoint fails elsewhere
   * @returns null if aborted
   */
  async snapshot(
    checkpointId: number,
    kind: SnapshotKind,
    outcome: 'complete' | 'abort',
  ): Promise<OperatorSnapshot | null> {
    const operator = this.#operator;
    operator.prepareBarrier?.(checkpointId);
    this.#sealed = true;
    operator.snapshot?.(checkpointId);
    const persisting = operator.persist?.(checkpointId) ?? Promise.resolve([]);
    persisting.catch(() => {});
    const store = this.#keyed;
    const frozen = store?.freeze();
    const lists = this.#operatorState.snapshot();
    this.#sealed = false;
    const { environment } = this.#options;
    if (outcome === 'abort') {
      if (frozen !== undefined) store!.discard(frozen);
      operator.notifyCheckpointAborted?.(checkpointId);
      await this.settle();
      return null;
    }
    const keyed =
      frozen === undefined ? null : await environment.runUntil(store!.persist(frozen, kind));
    const late = await environment.runUntil(persisting);
    return { keyed, lists: [...lists, ...late] };
  }

  async checkpointComplete(checkpointId: number): Promise<void> {
    this.#operator.notifyCheckpointComplete?.(checkpointId);
    await this.settle();
  }

  /** Live timers. */
  timers(): { readonly event: number; readonly processing: number } {
    const store = this.#keyed;
    return { event: store?.eventTimers ?? 0, processing: store?.processingTimers ?? 0 };
  }

  /** Something is behind the watermark: a timer that waits for the next one, held back results. */
  get isBehind(): boolean {
    const earliestMs = this.#keyed?.earliestEventTimerMs() ?? Number.POSITIVE_INFINITY;
    return (
      earliestMs <= this.#combined.watermarkMs || this.#forwardedMs < this.#combined.watermarkMs
    );
  }

  /** Whether no keyed state but timers is left. Takes a snapshot if timers make it necessary. */
  async stateIsEmpty(): Promise<boolean> {
    const store = this.#keyed;
    if (store === null || store.isEmpty()) return true;
    const { event, processing } = this.timers();
    if (event + processing === 0) return false;
    const { environment, runStore } = this.#options;
    const snapshot = await environment.runUntil(store.persist(store.freeze(), 'savepoint'));
    const tables = await environment.runUntil(
      readRestoredRuns(runStore, snapshot.runs, store.keyGroupRange),
    );
    return [...tables.values()].every(({ kind }) => kind === 'timer');
  }

  async close(): Promise<void> {
    await this.#options.environment.runUntil(Promise.resolve(this.#operator.close()));
    this.#keyed?.close();
  }

  /** The last watermark of each input, to be delivered again after a restore. */
  get inputWatermarks(): readonly number[] {
    return this.#watermarks;
  }

  get inputsIdle(): readonly boolean[] {
    return this.#idle;
  }

  #inputs(input: number | null): readonly number[] {
    return input === null ? [...this.#watermarks.keys()] : [input];
  }

  async #apply({ idle, watermarkMs: timeMs }: CombinedChange): Promise<void> {
    if (idle !== undefined) this.#emit({ kind: 'status', idle, subtask: this.subtaskIndex });
    if (timeMs === undefined) return;
    await this.#complete(() => this.#operator.onWatermark?.(timeMs) ?? true);
    if (this.#operator.holdsWatermark !== true) this.#forwardWatermark(timeMs);
    await this.settle();
  }

  async #complete(call: () => boolean): Promise<void> {
    for (let calls = 0; !call(); calls++) {
      assert.ok(calls < CONTINUATIONS_MAX, 'a resumable call comes to an end');
      await this.#options.environment.runReady();
    }
  }

  #forwardWatermark(timeMs: number): void {
    this.#forwardedMs = timeMs;
    this.#emit({ kind: 'watermark', timeMs, subtask: this.subtaskIndex });
  }

  #emit(output: HarnessOutput): void {
    assert.ok(!this.#sealed, 'nothing is emitted between prepareBarrier and the barrier');
    this.#options.emit(output);
  }

  #emitRecord(value: unknown, timestampMs: number, side: string | null): void {
    this.#emit({ kind: 'record', value, timestampMs, side, subtask: this.subtaskIndex });
  }

  #openKeyed(): CountingStateStore {
    const { environment, runStore, subtaskIndex, parallelism, maxParallelism } = this.#options;
    this.#keyed ??= new CountingStateStore(
      openKeyedStateStore({
        environment,
        operatorUid: 'operator-under-test',
        keyGroupRange: keyGroupRangeOf(subtaskIndex, maxParallelism, parallelism),
        maxParallelism,
        runStore,
        restored: this.#restored,
        memory: this.#memory,
        freezeValues: this.#options.freezeValues,
      }),
    );
    return this.#keyed;
  }

  #context(): OperatorContext {
    const { subtaskIndex, parallelism, maxParallelism, environment } = this.#options;
    const openKeyed = (): CountingStateStore => this.#openKeyed();
    return {
      operatorUid: 'operator-under-test',
      subtaskIndex,
      parallelism,
      maxParallelism,
      attempt: 1,
      environment,
      metrics: this.metrics,
      output: { emit: (value, timestampMs) => this.#emitRecord(value, timestampMs, null) },
      sideOutput: (name) => ({
        emit: (value, timestampMs) => this.#emitRecord(value, timestampMs, name),
      }),
      get keyed() {
        return openKeyed();
      },
      operatorState: this.#operatorState,
      isRestored: this.#isRestored,
      requestProcessingTime: (timeMs) => {
        if (timeMs < this.#nextProcessingTimeMs) this.#nextProcessingTimeMs = timeMs;
      },
      forwardWatermark: (timeMs) => this.#forwardWatermark(timeMs),
      forwardIdle: (idle) => this.#emit({ kind: 'status', idle, subtask: subtaskIndex }),
      wake: () => {
        this.#woken = true;
      },
      shouldYield: () => {
        if (!this.#options.yieldOften) return false;
        this.#yieldTurn = !this.#yieldTurn;
        return this.#yieldTurn;
      },
      fail: (error) => {
        this.#failure ??= { error };
      },
    };
  }
}
