import { MIN_WATERMARK } from '../../element/time.ts';

/** What changed for the task. */
export interface CombinedChange {
  /** The stream is idle, or active again; undefined: as before. */
  readonly idle: boolean | undefined;
  /** Greater than before; undefined: no new watermark. */
  readonly watermarkMs: number | undefined;
}

/**
 * The watermark of a task over its one or two inputs: the smallest over those that are not idle.
 *
 * N1. It never goes back.
 * N2. An input that has ended does not hold the other one back: it is idle here.
 * N3. While all inputs are idle it stands still (Flink's IndexedCombinedWatermarkStatus).
 */
export class CombinedWatermark {
  readonly #watermarks: number[];
  readonly #idle: boolean[];
  #watermarkMs = MIN_WATERMARK;
  #isIdle = false;

  /** @param inputCount 1 or 2; all begin active and without a watermark */
  constructor(inputCount: number) {
    this.#watermarks = new Array(inputCount).fill(MIN_WATERMARK);
    this.#idle = new Array(inputCount).fill(false);
  }

  /** -Infinity before the first. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  isIdle(input: number): boolean {
    return this.#idle[input]!;
  }

  /** The watermark of an input; one that goes back changes nothing. */
  onWatermark(input: number, timeMs: number): CombinedChange {
    this.#watermarks[input] = Math.max(this.#watermarks[input]!, timeMs);
    return this.#combine();
  }

  onIdle(input: number, idle: boolean): CombinedChange {
    this.#idle[input] = idle;
    return this.#combine();
  }

  /** Both at once, for a source. */
  set(input: number, timeMs: number, idle: boolean): CombinedChange {
    this.#idle[input] = idle;
    return this.onWatermark(input, timeMs);
  }

  #combine(): CombinedChange {
    const isIdle = this.#idle.every((idle) => idle);
    const idle = isIdle === this.#isIdle ? undefined : isIdle;
    this.#isIdle = isIdle;
    if (isIdle) return { idle, watermarkMs: undefined }; // N3
    const active = this.#watermarks.filter((_, input) => !this.#idle[input]);
    const timeMs = Math.min(...active);
    if (timeMs <= this.#watermarkMs) return { idle, watermarkMs: undefined }; // N1
    this.#watermarkMs = timeMs;
    return { idle, watermarkMs: timeMs };
  }
}
