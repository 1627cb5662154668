import { assert } from '../base/assert.ts';
import type { StreamError } from '../base/errors.ts';
import type { Batch } from '../element/batch.ts';
import type { CheckpointBarrier, CheckpointId } from '../element/element.ts';
import { MAX_WATERMARK } from '../element/time.ts';
import type { SourceSplit } from '../function/source.ts';
import type { SourceProgress } from './source/watermark-alignment.ts';
import type { SubtaskSnapshot } from '../state/snapshot.ts';
import { buildTaskChain, type TaskChain } from './task-chain.ts';
import { type CombinedChange, CombinedWatermark } from './barrier/combined-watermark.ts';
import type { FrozenTask, TaskOptions } from './task-host.ts';
import { persistTask, type FrozenOperators, freezeOperators } from './task-snapshot.ts';
import { attributeFailure } from './user-function-error.ts';

/** A piece of work that may have to be continued in a later turn. */
type Step = () => boolean;

/** How often the head of the chain looks at the clock: every so many records. */
const RECORDS_PER_TIME_CHECK = 64;

/**
 * One subtask of one chain: passive and deterministic. It changes only inside its methods, and its
 * host calls them one at a time. It lives behind alignment: what it is given is in order.
 *
 *   open -> recover -> ( batch | watermark | idle | poll | timerDue | barrier | ... )* -> close
 *
 * T1. A method that takes input is only called while `isBusy` is false. A call that could not
 *     finish (an output is full, the turn's time is up) leaves the rest as steps; `resume` goes on.
 * T2. Barrier turn: prepareBarrier of each operator (may emit), barrier to all outputs, freeze of
 *     all state. Nothing is emitted between the first and the last of these.
 * T3. What is frozen at the barrier is what `persist` writes, whatever happens in between; persists
 *     may overlap, and may never be asked for (`aborted`).
 * T4. After the end of input the task still takes part in checkpoints.
 */
export class Task {
  readonly #options: TaskOptions;
  readonly #chain: TaskChain;
  #steps: Step[] = [];
  readonly #frozen = new Map<CheckpointId, FrozenOperators>();
  readonly #combined: CombinedWatermark;
  readonly #inputEnded: boolean[] = [false, false];
  readonly #forgetRelief: () => void;
  #ended = false;
  #finished = false;
  #stopped = false;

  constructor(options: TaskOptions) {
    this.#options = options;
    this.#chain = buildTaskChain(options, () => this.shouldYield());
    this.#combined = new CombinedWatermark(Math.max(1, this.#chain.inputCount));
    this.#forgetRelief = options.memory.onRelief(() => options.host.requestTurn());
  }

  /** Opens all operators with their restored state, the last one first. */
  open(): void {
    for (const runtime of [...this.#chain.runtimes].reverse()) {
      this.#guard(runtime.node.uid, () => runtime.operator.open(runtime.context));
    }
  }

  get isSource(): boolean {
    return this.#chain.source !== null;
  }

  /** There are steps left over: call `resume`, nothing else. */
  get isBusy(): boolean {
    return this.#steps.length > 0;
  }

  /** All inputs have ended and everything that follows from it is done. */
  get isFinished(): boolean {
    return this.#finished;
  }

  /** An output without credit, or an operator that takes nothing now: no use in a turn. */
  isBlocked(): boolean {
    return this.#chain.isBlocked();
  }

  /** When the earliest processing-time timer wants to be called; Infinity if none. */
  get nextProcessingTimeMs(): number {
    return this.#chain.nextProcessingTimeMs;
  }

  get watermarkMs(): number {
    return this.#combined.watermarkMs;
  }

  shouldYield(): boolean {
    return this.#chain.stopSignal.stop || this.#options.host.turnIsOver();
  }

  /** Goes on with what is left over. @returns true if nothing is left */
  resume(): boolean {
    this.#chain.stopSignal.stop = this.#chain.isBlocked();
    for (;;) {
      const step = this.#steps[0];
      if (step !== undefined) {
        if (!step()) return false;
        this.#steps.shift();
      } else if (!this.#chain.chain.hasWork) {
        return true;
      } else {
        // Watermarks that an operator has sent on by itself (mapAsync, assignTimestamps).
        const { head } = this.#chain.chain;
        this.#steps.push(() => this.#guard(head.uid, () => this.#chain.chain.drain()));
      }
    }
  }

  /** A batch of input 0 or 1. */
  batch(input: number, batch: Batch): boolean {
    assert(!this.#inputEnded[input], 'no record follows the end of input');
    this.#steps.push(this.#batchStep(input, batch));
    return this.resume();
  }

  /** The merged watermark of an input; greater than the one before. */
  watermark(input: number, timeMs: number): boolean {
    this.#apply(this.#combined.onWatermark(input, timeMs));
    return this.resume();
  }

  /** An input became idle (it does not hold back the other one) or active again. */
  idle(input: number, idle: boolean): boolean {
    this.#apply(this.#combined.onIdle(input, idle));
    return this.resume();
  }

  /** For sources: takes what is there. @returns `wait`: nothing to read until `available` */
  poll(): 'polled' | 'wait' | 'ended' {
    const source = this.#chain.source!;
    if (this.#stopped || this.#ended) return 'ended';
    const polled = this.#guard(source.uid, () => source.poll(this.#options.settings.batchSize));
    if (polled === 'wait') {
      this.#sourceWatermark();
      this.resume();
      return 'wait';
    }
    if (polled === 'end') {
      this.#endOfSource();
      return 'ended';
    }
    this.#steps.push(this.#batchStep(-1, polled.batch));
    if (polled.deadLetters !== undefined) this.#chain.emitDeadLetters(polled.deadLetters);
    this.#steps.push(() => this.#sourceWatermark());
    this.resume();
    return 'polled';
  }

  /** Resolves when `poll` is worth calling after `wait`. */
  available(): Promise<void> {
    return this.#chain.source!.available();
  }

  /** For sources: asks for the first splits, when the enumerator has started. */
  start(): void {
    this.#chain.source!.start();
  }

  /** For alignment. */
  sourceProgress(): SourceProgress {
    return { watermarkMs: this.#combined.watermarkMs, idle: this.#combined.isIdle(0) };
  }

  addSplits(splits: readonly SourceSplit[]): void {
    this.#chain.source!.addSplits(splits);
  }

  noMoreSplits(): void {
    this.#chain.source!.noMoreSplits();
  }

  /** Source alignment: rest until told otherwise. */
  setPaused(paused: boolean): void {
    this.#chain.source!.setPaused(paused);
  }

  /** Stops reading. `drain`: as if the source had ended here. */
  stopReading(drain: boolean): void {
    this.#stopped = true;
    if (drain && !this.#ended) this.#endOfSource();
  }

  /** An input has ended; its last watermark has been handed over. */
  endInput(input: number): boolean {
    this.#inputEnded[input] = true;
    const { head } = this.#chain.chain;
    this.#guard(head.uid, () => head.operator?.endInput?.(input));
    if (this.#chain.inputCount === 2 && !(this.#inputEnded[0] && this.#inputEnded[1])) {
      this.#apply(this.#combined.onIdle(input, true)); // it does not hold back the other one
      return this.resume();
    }
    this.#end();
    return this.resume();
  }

  /** The clock is at or beyond `nextProcessingTimeMs`. */
  timerDue(nowMs: number): boolean {
    this.#chain.nextProcessingTimeMs = Number.POSITIVE_INFINITY;
    for (const { node, operator } of this.#chain.runtimes) {
      if (operator.onProcessingTime === undefined) continue;
      this.#steps.push(() => this.#guard(node.uid, () => operator.onProcessingTime!(nowMs)));
    }
    return this.resume();
  }

  /** About five times a second: watermarks of quiet sources, rolling of files. */
  tick(nowMs: number): boolean {
    for (const sink of this.#chain.sinks) sink.onTick(nowMs);
    if (this.#chain.source !== null && !this.#ended && !this.#stopped) {
      this.#chain.source.onTick(nowMs);
      this.#steps.push(() => this.#sourceWatermark());
    }
    return this.resume();
  }

  /** Asynchronous work of operators has completed. */
  wake(): boolean {
    for (const runtime of this.#chain.takeWoken()) {
      const { node, operator } = runtime;
      this.#steps.push(() => this.#guard(node.uid, () => operator.onWake?.() ?? true));
    }
    this.#steps.push(() => this.#chain.chain.drain());
    return this.resume();
  }

  get isWoken(): boolean {
    return this.#chain.isWoken;
  }

  /** T2. The task is not busy. */
  barrier(barrier: CheckpointBarrier): FrozenTask {
    assert(!this.isBusy, 'a barrier waits for the work before it');
    const { checkpointId } = barrier;
    for (const { node, operator } of this.#chain.runtimes) {
      this.#guard(node.uid, () => operator.prepareBarrier?.(checkpointId));
    }
    this.#chain.chain.broadcast({ kind: 'barrier', barrier });
    this.#frozen.set(checkpointId, freezeOperators(this.#chain.runtimes, checkpointId));
    return { checkpointId };
  }

  /** A barrier that will not come: tells the tasks downstream. */
  cancelBarrier(checkpointId: CheckpointId): void {
    this.#chain.chain.broadcast({ kind: 'cancelBarrier', checkpointId });
  }

  /** T3. Makes the frozen state durable. */
  persist(frozen: FrozenTask, barrier: CheckpointBarrier): Promise<SubtaskSnapshot> {
    const operators = this.#frozen.get(frozen.checkpointId);
    assert(operators !== undefined, 'persist comes once, after its barrier');
    this.#frozen.delete(frozen.checkpointId);
    return persistTask(operators, barrier.snapshotKind, this.#finished);
  }

  complete(checkpointId: CheckpointId): void {
    for (const { operator } of this.#chain.runtimes) {
      operator.notifyCheckpointComplete?.(checkpointId);
    }
  }

  aborted(checkpointId: CheckpointId): void {
    const operators = this.#frozen.get(checkpointId);
    if (operators !== undefined) for (const one of operators) one.discard();
    this.#frozen.delete(checkpointId);
    for (const { operator } of this.#chain.runtimes) {
      operator.notifyCheckpointAborted?.(checkpointId);
    }
  }

  /** Resolves when every sink has committed what completed checkpoints told it to. */
  async settled(): Promise<void> {
    await Promise.all(this.#chain.sinks.map((sink) => sink.settled()));
  }

  /** Sends what is collected in batches, and lets go of state; the end of a turn. */
  flush(): void {
    this.#chain.chain.flush();
    this.#chain.relieveMemory();
  }

  /** Closes all operators, whatever the others do. @throws the first error */
  async close(): Promise<void> {
    this.#forgetRelief();
    const errors: unknown[] = [];
    for (const runtime of this.#chain.runtimes) {
      try {
        await runtime.operator.close();
      } catch (error) {
        errors.push(error);
      }
      runtime.closeState();
    }
    if (errors.length > 0) throw errors[0];
  }

  get metrics(): TaskChain['metrics'] {
    return this.#chain.metrics;
  }

  #batchStep(input: number, batch: Batch): Step {
    let index = 0;
    const segment = this.#chain.segment(input);
    return () => {
      this.#chain.chain.setOrigin(batch.origin);
      while (index < batch.size) {
        const end = Math.min(batch.size, index + RECORDS_PER_TIME_CHECK);
        try {
          index = segment.run(batch, index, end);
        } catch (error) {
          throw this.#attribute(error, segment.uid, batch.origin?.describe(segment.position));
        }
        this.#chain.relieveMemory();
        if (index < batch.size && this.shouldYield()) return false;
      }
      return true;
    };
  }

  #sourceWatermark(): boolean {
    const source = this.#chain.source!;
    const { timeMs, idle } = source.watermark();
    this.#apply(this.#combined.set(0, timeMs, idle));
    return true;
  }

  // The end of a source: event time runs to its end, so that everything that waits for it fires.
  #endOfSource(): void {
    this.#apply(this.#combined.set(0, MAX_WATERMARK, false));
    this.#end();
    this.resume();
  }

  #end(): void {
    this.#ended = true;
    const { runtimes, chain } = this.#chain;
    for (const { node, operator, restoredFinished } of runtimes) {
      if (!restoredFinished && operator.finish !== undefined) {
        this.#steps.push(() => this.#guard(node.uid, () => operator.finish!()));
        this.#steps.push(() => chain.drain());
      }
    }
    this.#steps.push(() => {
      chain.broadcast({ kind: 'endOfInput' });
      this.#finished = true;
      return true;
    });
  }

  #apply({ idle, watermarkMs }: CombinedChange): void {
    if (idle !== undefined) this.#chain.chain.broadcast({ kind: 'watermarkStatus', idle });
    if (watermarkMs === undefined) return;
    const { chain } = this.#chain;
    chain.advance(watermarkMs);
    this.#steps.push(() => this.#guard(chain.head.uid, () => chain.drain()));
  }

  #guard<T>(uid: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.#attribute(error, uid, undefined);
    }
  }

  #attribute(error: unknown, uid: string, origin: string | undefined): StreamError {
    const stuck = this.#chain.chain.deepestActive()?.uid ?? uid;
    return attributeFailure(error, stuck, this.#options.subtaskIndex, origin ?? null);
  }
}
