import { MAX_WATERMARK, MIN_WATERMARK } from '../../element/time.ts';
import type { WatermarkGenerator, WatermarkStrategy } from '../../function/watermark-strategy.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import { assignTimestamp } from '../source/assign-timestamp.ts';
import { IdlenessTimer } from '../source/idleness-timer.ts';
import type { Operator, OperatorContext } from './operator.ts';

type Spec = OperatorSpec & { kind: 'assignTimestamps' };

/** How often the generator is asked (Flink's default). */
export const WATERMARK_INTERVAL_MS = 200;

// A bounded input can pass within one interval; then the watermark would come only at its end, and
// everything would be buffered until then.
const RECORDS_PER_WATERMARK = 1_024;

/** Event time in mid-stream: one generator per subtask. Watermarks from before it end here. */
export function createAssignTimestamps(spec: Spec): Operator {
  return new AssignTimestampsOperator(spec.watermarks);
}

// P1. A watermark that comes in says nothing (it belongs to the old timestamps), but the last one:
//     the end of input is the end of event time.
// P2. The watermark goes on at each interval of processing time, after every 1 024 records, and
//     when the generator says so for a record. It never goes back.
// P3. Nothing of it is in snapshots.
class AssignTimestampsOperator implements Operator {
  readonly holdsWatermark = true;
  readonly #strategy: WatermarkStrategy<unknown>;
  readonly #generator: WatermarkGenerator<unknown>;
  readonly #idleness: IdlenessTimer | null;
  #context!: OperatorContext;
  #watermarkMs = MIN_WATERMARK;
  #isIdle = false;
  #recordsSince = 0;
  #nextTickMs = 0.5; // a double from the start

  constructor(strategy: WatermarkStrategy<unknown>) {
    const { idleAfterMs } = strategy;
    this.#strategy = strategy;
    this.#generator = strategy.createGenerator();
    this.#idleness = idleAfterMs === undefined ? null : new IdlenessTimer(idleAfterMs);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#requestTick(context.environment.clock.nowMs());
  }

  process(value: unknown, sourceTimestampMs: number): void {
    const timestampMs = assignTimestamp(this.#strategy, value, sourceTimestampMs);
    this.#idleness?.onActivity();
    if (this.#isIdle) this.#setIdle(false);
    const punctuated = this.#generator.onRecord(value, timestampMs);
    this.#context.output.emit(value, timestampMs);
    if (punctuated !== undefined) this.#forward(punctuated);
    if (++this.#recordsSince >= RECORDS_PER_WATERMARK) {
      this.#recordsSince = 0;
      this.#forward(this.#generator.onPeriodic());
    }
  }

  onWatermark(timeMs: number): boolean {
    if (timeMs !== MAX_WATERMARK) return true; // P1
    if (this.#isIdle) this.#setIdle(false);
    this.#forward(MAX_WATERMARK);
    return true;
  }

  onProcessingTime(nowMs: number): boolean {
    if (this.#watermarkMs === MAX_WATERMARK) return true;
    if (nowMs < this.#nextTickMs) {
      this.#context.requestProcessingTime(this.#nextTickMs); // it was somebody else's wake-up
      return true;
    }
    this.#requestTick(nowMs);
    if (this.#idleness?.isIdle(nowMs)) {
      if (!this.#isIdle) this.#setIdle(true);
    } else {
      this.#forward(this.#generator.onPeriodic());
    }
    return true;
  }

  close(): void {}

  #forward(timeMs: number): void {
    if (!(timeMs > this.#watermarkMs)) return;
    this.#watermarkMs = timeMs;
    this.#context.forwardWatermark(timeMs);
  }

  #setIdle(idle: boolean): void {
    this.#isIdle = idle;
    this.#context.forwardIdle?.(idle);
  }

  #requestTick(nowMs: number): void {
    this.#nextTickMs = nowMs + WATERMARK_INTERVAL_MS;
    this.#context.requestProcessingTime(this.#nextTickMs);
  }
}
