import { assert } from '../../base/assert.ts';
import { StreamError } from '../../base/errors.ts';
import { InvalidOptionError } from '../../base/invalid-option-error.ts';
import type { AsyncFunctionOptions } from '../../function/process-function.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { OperatorListState } from '../../state/operator-state.ts';
import { AsyncInput } from './async-input.ts';
import { AsyncResults } from './async-results.ts';
import type { Operator, OperatorContext } from './operator.ts';

type Spec = OperatorSpec & { kind: 'mapAsync' };

/** Inputs in flight unless the job says otherwise. */
export const DEFAULT_ASYNC_CAPACITY = 100;

/** The operator list of inputs that had not been emitted. */
const IN_FLIGHT = 'in-flight';

/** An input of `mapAsync` had no result within its time. */
export class AsyncTimeoutError extends StreamError<{ operatorUid: string; timeoutMs: number }> {
  static override readonly code = 'ASYNC_TIMEOUT';
  static override readonly domain = 'external';
  static override readonly retry = 'restart';
}

/**
 * Runs an asynchronous function with a bounded number of calls in flight.
 *
 * @throws InvalidOptionError if the options contradict each other
 */
export function createMapAsync(spec: Spec): Operator {
  const { onTimeout, fallback, capacity = DEFAULT_ASYNC_CAPACITY, retry } = spec.options;
  if (!(capacity >= 1)) throw new InvalidOptionError('capacity', capacity, 'must be 1 or more');
  if (onTimeout === 'fallback' && fallback === undefined) {
    throw new InvalidOptionError('fallback', fallback, "is needed with onTimeout: 'fallback'");
  }
  if (retry !== undefined && !(retry.maxAttempts >= 1)) {
    throw new InvalidOptionError('retry.maxAttempts', retry.maxAttempts, 'must be 1 or more');
  }
  return new MapAsyncOperator(spec);
}

interface InFlight {
  readonly value: unknown;
  readonly timestampMs: number;
}

// One input:
//
//   waiting --room--> running --result, drop, fallback--> done --its turn--> emitted
//                     |     ^
//                  error    | delay over
//                     v     |
//                    backing off
//
// B1. A promise only leaves its outcome with its input and wakes the task; everything else happens
//     in a turn.
// B2. Every input that is not emitted is in the snapshot, in the order it came in, also if its
//     result is there. After a restore all of them are called again, before new inputs.
// B3. An outcome of a call that is no longer waited for (timed out, closed) changes nothing.
// B4. Not more than `capacity` inputs are running or backing off. Records beyond that, which a
//     record in mid-chain can bring, wait and are called when there is room.
// B5. It is never blocked while a turn would get something done. The turn may come as a record, for
//     the rest of a batch stands before everything else (O1): so `process` catches up first.
class MapAsyncOperator implements Operator {
  readonly holdsWatermark = true;
  readonly #spec: Spec;
  readonly #options: AsyncFunctionOptions<unknown, unknown>;
  readonly #capacity: number;
  readonly #results: AsyncResults<AsyncInput>;
  #context!: OperatorContext;
  #inFlight!: OperatorListState<InFlight>;
  #waiting: AsyncInput[] = [];
  readonly #running = new Set<AsyncInput>();
  // Inputs with an outcome that no turn has looked at (B1).
  #settled: AsyncInput[] = [];
  // Some results may be left that could go out: a turn ended before them.
  #hasReady = false;
  // The earliest deadline or retry of an input in flight; Infinity if none.
  #nextDueMs = Number.POSITIVE_INFINITY;
  #lastWatermarkMs = Number.NaN;
  #isFinishing = false;
  #isClosed = false;

  constructor(spec: Spec) {
    this.#spec = spec;
    this.#options = spec.options;
    this.#capacity = spec.options.capacity ?? DEFAULT_ASYNC_CAPACITY;
    this.#results = new AsyncResults(spec.options.order ?? 'ordered');
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#inFlight = context.operatorState.list<InFlight>(IN_FLIGHT, 'split');
    for (const { value, timestampMs } of this.#inFlight.get()) this.process(value, timestampMs);
    this.#inFlight.update([]);
    context.metrics.gauge('asyncInputsHeld', () => this.#results.size);
  }

  process(value: unknown, timestampMs: number): void {
    if (this.#hasWork()) this.#catchUp();
    const input = new AsyncInput(value, timestampMs);
    this.#results.add(input);
    this.#waiting.push(input);
    this.#startWaiting();
  }

  isBlocked(): boolean {
    const isFull = this.#isFinishing
      ? !this.#results.isEmpty
      : this.#results.size >= this.#capacity;
    return isFull && !this.#hasWork(); // B5
  }

  onWatermark(timeMs: number): boolean {
    if (timeMs !== this.#lastWatermarkMs) {
      this.#lastWatermarkMs = timeMs; // a continued call brings the same watermark again
      this.#results.addWatermark(timeMs);
    }
    return this.#emitReady();
  }

  onProcessingTime(): boolean {
    this.#expire();
    return this.#emitReady();
  }

  onWake(): boolean {
    this.#takeSettled();
    return this.#emitReady();
  }

  finish(): boolean {
    this.#isFinishing = true;
    this.#expire();
    this.#takeSettled();
    return this.#emitReady() && this.#results.isEmpty;
  }

  snapshot(): void {
    const held: InFlight[] = [];
    for (const { value, timestampMs } of this.#results.held()) held.push({ value, timestampMs });
    this.#inFlight.update(held); // B2
  }

  close(): void {
    this.#isClosed = true;
    for (const input of this.#running) input.abort(new Error('the operator is closed'));
    this.#running.clear();
  }

  #hasWork(): boolean {
    if (this.#settled.length > 0 || this.#hasReady) return true;
    return this.#nextDueMs !== Number.POSITIVE_INFINITY && this.#nextDueMs <= this.#nowMs();
  }

  #catchUp(): void {
    this.#expire();
    this.#takeSettled();
    if (!this.#emitReady()) this.#context.wake();
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.#running.size < this.#capacity) {
      const input = this.#waiting.shift() as AsyncInput;
      const { timeoutMs } = this.#options;
      if (timeoutMs !== undefined) {
        input.deadlineMs = this.#nowMs() + timeoutMs;
        this.#wakeAt(input.deadlineMs);
      }
      this.#running.add(input);
      this.#call(input);
    }
  }

  #call(input: AsyncInput): void {
    input.start(this.#spec.call, () => {
      if (this.#isClosed || !this.#running.has(input)) return; // B3
      this.#settled.push(input);
      this.#context.wake();
    });
  }

  #takeSettled(): void {
    const settled = this.#settled;
    this.#settled = [];
    for (const input of settled) {
      if (!this.#running.has(input)) continue; // B3: it timed out in the meantime
      if (input.outcome?.kind === 'value') this.#done(input, [input.outcome.value]);
      else this.#onError(input, input.outcome?.error);
    }
    this.#startWaiting();
  }

  #onError(input: AsyncInput, error: unknown): void {
    const { retry } = this.#options;
    const worthIt = retry !== undefined && input.attempts < retry.maxAttempts;
    if (!worthIt || retry.retryIf?.(error) === false) throw error;
    const delayMs = retry.delayMs * (retry.multiplier ?? 1) ** (input.attempts - 1);
    input.retryAtMs = this.#nowMs() + delayMs;
    this.#wakeAt(input.retryAtMs);
  }

  // Deadlines and delays that are over; asks for the next wake-up. O(inputs in flight).
  #expire(): void {
    const nowMs = this.#nowMs();
    this.#nextDueMs = Number.POSITIVE_INFINITY;
    for (const input of this.#running) {
      if (input.deadlineMs <= nowMs) {
        this.#onTimeout(input);
        continue;
      }
      if (input.retryAtMs <= nowMs) this.#call(input);
      const dueMs = Math.min(input.deadlineMs, input.retryAtMs);
      if (dueMs < this.#nextDueMs) this.#nextDueMs = dueMs;
    }
    if (this.#nextDueMs !== Number.POSITIVE_INFINITY) {
      this.#context.requestProcessingTime(this.#nextDueMs);
    }
    this.#startWaiting();
  }

  #wakeAt(timeMs: number): void {
    if (timeMs < this.#nextDueMs) this.#nextDueMs = timeMs;
    this.#context.requestProcessingTime(timeMs);
  }

  #onTimeout(input: AsyncInput): void {
    const { onTimeout = 'fail', fallback, timeoutMs = Number.NaN } = this.#options;
    const { operatorUid } = this.#context;
    const error = new AsyncTimeoutError(
      `a call of operator "${operatorUid}" had no result after ${timeoutMs} ms`,
      { operatorUid, timeoutMs },
      { hint: "Raise timeoutMs, or choose onTimeout: 'fallback' or 'drop'." },
    );
    input.abort(error);
    if (onTimeout === 'fail') throw error;
    if (onTimeout === 'drop') this.#done(input, []);
    else {
      assert(fallback !== undefined, 'createMapAsync refuses a missing fallback');
      this.#done(input, fallback(input.value));
    }
  }

  #done(input: AsyncInput, outputs: readonly unknown[]): void {
    this.#running.delete(input);
    input.outputs = outputs;
    this.#results.complete(input);
  }

  // Stops between two inputs; the caller is called again.
  #emitReady(): boolean {
    const { output } = this.#context;
    for (;;) {
      const element = this.#results.next();
      this.#hasReady = element !== null;
      if (element === null) return true;
      if (element.kind === 'watermark') this.#context.forwardWatermark(element.timeMs);
      else {
        const { outputs, timestampMs } = element.input;
        for (const value of outputs) output.emit(value, timestampMs);
      }
      if (this.#context.shouldYield()) return false;
    }
  }

  #nowMs(): number {
    return this.#context.environment.clock.nowMs();
  }
}
