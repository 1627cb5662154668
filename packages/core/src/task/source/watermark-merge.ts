import { MIN_WATERMARK } from '../../element/time.ts';

/** What the splits of one source say together. */
export interface MergedWatermark {
  /** Never goes back. */
  readonly timeMs: number;
  /** There are splits, and all of them are idle. */
  readonly idle: boolean;
}

interface SplitState {
  watermarkMs: number;
  idle: boolean;
}

/**
 * The watermark over the splits of a source.
 *
 * G1. It is the minimum over the splits that are not idle, and never goes back: a split that is
 *     behind it holds it where it is, and the split's records are late.
 * G2. What a split says `deferred`, and the leaving of a split, count from the next `tick` on.
 * G3. Without any split it stays where it is.
 */
export class WatermarkMerge {
  readonly #splits = new Map<string, SplitState>();
  #timeMs = MIN_WATERMARK;
  #idle = false;

  /** Splits held. */
  get size(): number {
    return this.#splits.size;
  }

  /** A new split; it holds the watermark until it has one of its own. */
  addSplit(splitId: string): void {
    this.#splits.set(splitId, { watermarkMs: MIN_WATERMARK, idle: false });
  }

  removeSplit(splitId: string): void {
    this.#splits.delete(splitId);
  }

  /** A split's watermark; a smaller one than before changes nothing but that it is active. */
  advance(splitId: string, timeMs: number, when: 'now' | 'deferred'): void {
    const split = this.#splits.get(splitId);
    if (split === undefined) return; // it has left, and a late word of it changes nothing
    split.idle = false;
    if (timeMs > split.watermarkMs) split.watermarkMs = timeMs;
    if (when === 'now') this.tick();
  }

  /** A split has nothing to say, or comes back with its old watermark. */
  setIdle(splitId: string, idle: boolean): void {
    const split = this.#splits.get(splitId);
    if (split === undefined) return;
    split.idle = idle;
    this.tick();
  }

  /** Takes everything into account that has been said. Cost: O(splits). */
  tick(): void {
    if (this.#splits.size === 0) return; // G3
    let minimumMs = Number.POSITIVE_INFINITY;
    let allIdle = true;
    for (const split of this.#splits.values()) {
      if (split.idle) continue;
      allIdle = false;
      if (split.watermarkMs < minimumMs) minimumMs = split.watermarkMs;
    }
    this.#idle = allIdle;
    if (!allIdle && minimumMs > this.#timeMs) this.#timeMs = minimumMs;
  }

  current(): MergedWatermark {
    return { timeMs: this.#timeMs, idle: this.#idle };
  }
}
