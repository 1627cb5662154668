// Test support: runs one subtask of an operator over the real state stores and a virtual clock.
import assert from 'node:assert/strict';
import type { BackgroundExecutor, Environment } from '../../base/environment.ts';
import { MIN_WATERMARK } from '../../element/time.ts';
import { MetricGroup } from '../../metrics/registry.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import { openKeyedStateStore } from '../../state/open-keyed-state-store.ts';
import { openOperatorStateStore } from '../../state/open-operator-state-store.ts';
import type { OperatorStateStore } from '../../state/operator-state.ts';
import type { RunStore } from '../../state/run-store.ts';
import type { OperatorSnapshot, RunReference } from '../../state/snapshot.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';

const ALL_KEY_GROUPS = { first: 0, last: 127 };

/** What came out, in order; `side` names a side output. */
export type Emitted =
  | { readonly value: unknown; readonly at: number | null; readonly side?: string }
  | { readonly watermark: number }
  | { readonly idle: boolean };

class MemoryRuns implements RunStore {
  readonly #files = new Map<string, Buffer>();

  write(run: Parameters<RunStore['write']>[0]): Promise<RunReference> {
    const file = `run-${this.#files.size}`;
    this.#files.set(file, Buffer.concat(run.chunks));
    const { length, crc32, entries } = run;
    const keyGroups = { first: run.firstKeyGroup, last: run.lastKeyGroup };
    return Promise.resolve({ file, offset: 0, length, crc32, keyGroups, entries });
  }

  read(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.readNow(reference, offset, length));
  }

  readNow(reference: RunReference, offset: number, length: number): Uint8Array {
    const file = this.#files.get(reference.file);
    assert.ok(file !== undefined);
    return file.subarray(offset, offset + length);
  }
}

const INLINE: BackgroundExecutor = {
  run: (job, input) => Promise.resolve(job.run(input)),
  close: () => Promise.resolve(),
};

/** One subtask. Turns are the calls of its methods, each of which goes on until it is done. */
export class OperatorBed {
  /** Taken and emptied by `take`. */
  out: Emitted[] = [];
  /** Every call of a resumable method stops after each key. */
  yieldAlways = false;
  nowMs = 0;
  /** The earliest wake-up that was asked for. */
  wakeUpMs = Number.POSITIVE_INFINITY;
  metrics = new MetricGroup();
  operator!: Operator;
  keyed!: KeyedStateStore;
  readonly #make: () => Operator;
  readonly #runs = new MemoryRuns();
  readonly #environment: Environment;
  #operatorState!: OperatorStateStore;
  #watermarkMs = MIN_WATERMARK;
  #isWoken = false;

  private constructor(make: () => Operator) {
    this.#make = make;
    const clock = { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    this.#environment = {
      clock,
      executor: INLINE,
      scheduler: { defer: (run: () => void) => queueMicrotask(run) },
      logger: { log() {} },
    } as unknown as Environment;
  }

  static async open(make: () => Operator): Promise<OperatorBed> {
    const bed = new OperatorBed(make);
    await bed.#open(null);
    return bed;
  }

  record(value: unknown, timestampMs = Number.NaN): void {
    this.operator.process(value, timestampMs);
  }

  record2(value: unknown, timestampMs = Number.NaN): void {
    assert.ok(this.operator.process2 !== undefined);
    this.operator.process2(value, timestampMs);
  }

  /** @returns the number of calls that it took */
  watermark(timeMs: number): number {
    assert.ok(timeMs > this.#watermarkMs);
    this.#watermarkMs = timeMs;
    const calls = untilDone(() => this.operator.onWatermark?.(timeMs) ?? true);
    if (this.operator.holdsWatermark !== true) this.out.push({ watermark: timeMs });
    return calls;
  }

  /** Sets the clock and runs what has asked to be woken by then. */
  clock(timeMs: number): void {
    this.nowMs = timeMs;
    if (this.wakeUpMs > timeMs) return;
    this.wakeUpMs = Number.POSITIVE_INFINITY;
    untilDone(() => this.operator.onProcessingTime?.(timeMs) ?? true);
  }

  /** Lets promises settle and gives the turns that they have asked for. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      await Promise.resolve();
      if (!this.#isWoken) continue;
      this.#isWoken = false;
      untilDone(() => this.operator.onWake?.() ?? true);
    }
  }

  /** A barrier and its snapshot. */
  async snapshot(): Promise<OperatorSnapshot> {
    this.operator.prepareBarrier?.(1);
    this.operator.snapshot?.(1);
    const frozen = this.keyed.freeze();
    const lists = this.#operatorState.snapshot();
    return { keyed: await this.keyed.persist(frozen, 'checkpoint'), lists };
  }

  /** Throws everything away and goes on from a snapshot. */
  async restore(snapshot: OperatorSnapshot): Promise<void> {
    await this.operator.close();
    this.keyed.close();
    await this.#open(snapshot);
  }

  take(): Emitted[] {
    const out = this.out;
    this.out = [];
    return out;
  }

  /** The values alone. */
  values(): unknown[] {
    return this.take().flatMap((one) => ('value' in one ? [one.value] : []));
  }

  async #open(snapshot: OperatorSnapshot | null): Promise<void> {
    const environment = this.#environment;
    this.keyed = openKeyedStateStore({
      environment,
      operatorUid: 'op',
      keyGroupRange: ALL_KEY_GROUPS,
      maxParallelism: 128,
      runStore: this.#runs,
      restored: snapshot?.keyed ?? null,
      freezeValues: true,
      compression: 'none',
    });
    this.#operatorState = openOperatorStateStore(snapshot?.lists ?? []);
    this.#watermarkMs = MIN_WATERMARK;
    this.wakeUpMs = Number.POSITIVE_INFINITY;
    this.metrics = new MetricGroup();
    this.operator = this.#make();
    this.operator.open(this.#context(snapshot !== null));
  }

  #context(isRestored: boolean): OperatorContext {
    return {
      operatorUid: 'op',
      subtaskIndex: 0,
      parallelism: 1,
      maxParallelism: 128,
      attempt: 1,
      environment: this.#environment,
      metrics: this.metrics,
      output: this.#into(),
      sideOutput: (name) => this.#into(name),
      keyed: this.keyed,
      operatorState: this.#operatorState,
      isRestored,
      requestProcessingTime: (timeMs) => {
        this.wakeUpMs = Math.min(this.wakeUpMs, timeMs);
      },
      forwardWatermark: (timeMs) => void this.out.push({ watermark: timeMs }),
      forwardIdle: (idle) => void this.out.push({ idle }),
      wake: () => {
        this.#isWoken = true;
      },
      shouldYield: () => this.yieldAlways,
      fail(error) {
        throw error;
      },
    };
  }

  #into(side?: string): Output {
    return {
      emit: (value, timestampMs) => {
        const at = Number.isNaN(timestampMs) ? null : timestampMs;
        this.out.push(side === undefined ? { value, at } : { value, at, side });
      },
    };
  }
}

function untilDone(step: () => boolean): number {
  for (let calls = 1; ; calls++) {
    if (step()) return calls;
    assert.ok(calls < 100_000, 'a resumable method ends');
  }
}
