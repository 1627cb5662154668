import { MIN_WATERMARK, NO_TIMESTAMP } from '../../element/time.ts';
import type { ProcessContext, SideOutputTag } from '../../function/process-function.ts';
import type { OperatorContext, Output } from './operator.ts';

/**
 * What every user function sees. One object per operator, set to the record or timer in hand before
 * each call; its functions are properties of their own, so that they survive destructuring.
 */
export class RecordContext implements ProcessContext<unknown> {
  /** Set by the operator before each call. NaN: none, and a double from the start on. */
  timestampMs = NO_TIMESTAMP;
  /** Set by the operator when its watermark advances. */
  watermarkMs = MIN_WATERMARK;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly now: () => number;
  readonly count: (name: string, by?: number) => void;
  readonly emit: (value: unknown, timestampMs?: number) => void;
  readonly side: <T>(tag: SideOutputTag<T>, value: T, timestampMs?: number) => void;

  constructor(context: OperatorContext) {
    const { environment, metrics, output } = context;
    const sides = new Map<string, Output>();
    this.subtaskIndex = context.subtaskIndex;
    this.parallelism = context.parallelism;
    this.now = () => environment.clock.nowMs();
    this.count = (name, by = 1) => metrics.counter(name).inc(by);
    this.emit = (value, timestampMs) =>
      output.emit(value, timestampMs === undefined ? this.timestampMs : timestampMs);
    this.side = (tag, value, timestampMs) => {
      let side = sides.get(tag.sideOutput);
      if (side === undefined) {
        side = context.sideOutput(tag.sideOutput);
        sides.set(tag.sideOutput, side);
      }
      side.emit(value, timestampMs === undefined ? this.timestampMs : timestampMs);
    };
  }
}
