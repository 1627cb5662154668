import type { Batch } from '../../element/batch.ts';
import { MIN_WATERMARK } from '../../element/time.ts';
import type { WatermarkGenerator, WatermarkStrategy } from '../../function/watermark-strategy.ts';
import { type AssignLoop, assignLoop } from './assign-loop.ts';
import { IdlenessTimer } from './idleness-timer.ts';
import { type MergedWatermark, WatermarkMerge } from './watermark-merge.ts';

interface SplitGenerator {
  readonly generator: WatermarkGenerator<unknown>;
  /** null: never idle. */
  readonly idleness: IdlenessTimer | null;
}

/**
 * Event time of a source: assigns timestamps, makes a watermark per split and merges them.
 *
 * Pure but for the user's functions: the caller brings the time. Nothing of it is in checkpoints:
 * a restored source begins with no watermark, so what was late before may be accepted then.
 */
export class SplitWatermarks {
  readonly #strategy: WatermarkStrategy<unknown> | null;
  readonly #splits = new Map<string, SplitGenerator>();
  readonly #assign: AssignLoop = () => MIN_WATERMARK;
  readonly #merge = new WatermarkMerge();
  // A reader that is given no split must not hold back the others either.
  #emptySinceMs: number;

  /**
   * @param strategy null: no event time; the watermark stays at its beginning
   * @param generateCode see `TaskSettings`
   */
  constructor(strategy: WatermarkStrategy<unknown> | null, nowMs: number, generateCode = false) {
    this.#strategy = strategy;
    if (strategy !== null) this.#assign = assignLoop(strategy, generateCode);
    this.#emptySinceMs = nowMs;
  }

  addSplit(splitId: string, _nowMs: number): void {
    if (this.#strategy === null) return;
    const { idleAfterMs } = this.#strategy;
    this.#splits.set(splitId, {
      generator: this.#strategy.createGenerator(),
      idleness: idleAfterMs === undefined ? null : new IdlenessTimer(idleAfterMs),
    });
    this.#merge.addSplit(splitId);
  }

  /** A finished split no longer counts, from the next tick or batch on. */
  removeSplit(splitId: string): void {
    this.#splits.delete(splitId);
    this.#merge.removeSplit(splitId);
    this.#emptySinceMs = Number.NaN; // known at the next tick
  }

  /**
   * Assigns the timestamps of a batch in place, and takes note of them.
   *
   * @throws InvalidTimestampError
   */
  onBatch(splitId: string, batch: Batch, _nowMs: number): void {
    const strategy = this.#strategy;
    const split = this.#splits.get(splitId);
    if (strategy === null || split === undefined || batch.size === 0) return;
    const maxTimestampMs = this.#assign(batch);
    const { generator } = split;
    let punctuatedMs = MIN_WATERMARK;
    if (generator.onBatch === undefined) punctuatedMs = onRecords(generator, batch);
    else generator.onBatch(maxTimestampMs);
    split.idleness?.onActivity();
    const watermarkMs = Math.max(punctuatedMs, generator.onPeriodic());
    this.#merge.advance(splitId, watermarkMs, 'now');
  }

  /** Every `watermarkIntervalMs` (about 200 ms): generators that follow the clock, idleness. */
  onPeriodic(nowMs: number): void {
    for (const [splitId, split] of this.#splits) {
      if (split.idleness?.isIdle(nowMs)) this.#merge.setIdle(splitId, true);
      else this.#merge.advance(splitId, split.generator.onPeriodic(), 'deferred');
    }
    this.#merge.tick();
    if (Number.isNaN(this.#emptySinceMs)) this.#emptySinceMs = nowMs;
  }

  /** The watermark now; `idle` also if there has been no split for `idleAfterMs`. */
  current(nowMs: number): MergedWatermark {
    const merged = this.#merge.current();
    const idleAfterMs = this.#strategy?.idleAfterMs;
    if (this.#merge.size > 0 || idleAfterMs === undefined) return merged;
    return { timeMs: merged.timeMs, idle: nowMs - this.#emptySinceMs > idleAfterMs };
  }
}

// The greatest watermark that the generator has returned at once.
function onRecords(generator: WatermarkGenerator<unknown>, batch: Batch): number {
  const { values, timestamps, size } = batch;
  let watermarkMs = MIN_WATERMARK;
  for (let i = 0; i < size; i++) {
    const punctuated = generator.onRecord(values[i], timestamps[i]!);
    if (punctuated !== undefined && punctuated > watermarkMs) watermarkMs = punctuated;
  }
  return watermarkMs;
}
