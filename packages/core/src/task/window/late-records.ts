import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Counter } from '../../metrics/registry.ts';
import type { Output, OperatorContext } from '../operator/operator.ts';

/** Where records go that no window takes any more: a side output, or a counter. */
export class LateRecords {
  readonly #latenessMs: number;
  readonly #dropped: Counter;
  readonly #output: Output | null;

  constructor(spec: WindowSpec, context: OperatorContext) {
    this.#latenessMs = spec.allowedLatenessMs;
    this.#dropped = context.metrics.counter('lateRecordsDropped');
    this.#output = spec.lateOutput === null ? null : context.sideOutput(spec.lateOutput);
  }

  /**
   * Takes a record that is in no window. It is late only if it is behind the watermark itself: one
   * in a hole between windows may not be, and then simply belongs nowhere.
   */
  offer(value: unknown, timestampMs: number, watermarkMs: number): void {
    if (!(timestampMs + this.#latenessMs <= watermarkMs)) return;
    if (this.#output !== null) this.#output.emit(value, timestampMs);
    else this.#dropped.inc();
  }
}
