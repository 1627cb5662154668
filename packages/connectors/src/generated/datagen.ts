import { NO_TIMESTAMP, type Random, type Source } from '@millrace/core/connector';
import { checkCount, checkNumber } from '../check-option.ts';
import { GeneratingReader } from './generating-reader.ts';
import { IndexedRandom } from './indexed-random.ts';
import { DealtSplits } from './dealt-splits.ts';

/** Options of `datagen`. */
export interface DatagenOptions<T> {
  /** Makes record `index` (from 0). Must depend on nothing but its arguments. */
  readonly make: (index: number, random: Random) => T;
  /** Records in all; left out: without end. */
  readonly count?: number;
  /** Records a second over all splits; left out: as fast as they are taken. */
  readonly ratePerSecond?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Event time of a record; left out: records have no timestamp of their own. */
  readonly timestamp?: (value: T, index: number) => number;
  /** Timestamps are moved back by up to this much, at random. Default 0. */
  readonly outOfOrdernessMs?: number;
  /** Default: the parallelism of the first start. Fixed from then on. */
  readonly splits?: number;
}

/** Every `stride`-th index, from `next` on. */
export interface DatagenSplit {
  readonly splitId: string;
  readonly next: number;
  readonly stride: number;
}

/**
 * Makes records by index: record `i` is the same for every parallelism, run and restart with one
 * seed. Exactly-once. Splits take the indexes in turn (0, n, 2n, ...; 1, n+1, ...).
 *
 * @throws InvalidOptionError
 */
export function datagen<T>(
  options: DatagenOptions<T>,
): Source<T, DatagenSplit, readonly DatagenSplit[]> {
  const { count = Number.POSITIVE_INFINITY } = options;
  checkCount('count', options.count, 0);
  checkCount('splits', options.splits, 1);
  checkNumber('outOfOrdernessMs', options.outOfOrdernessMs, 0);
  checkNumber('ratePerSecond', options.ratePerSecond, Number.MIN_VALUE);
  return {
    name: 'datagen',
    boundedness: count === Number.POSITIVE_INFINITY ? 'continuous' : 'bounded',
    delivery: 'exactly-once',
    createEnumerator(context, restored) {
      if (restored !== undefined) return new DealtSplits(context, restored);
      const stride = Math.max(1, Math.min(options.splits ?? context.parallelism, count));
      const splits = Array.from({ length: count === 0 ? 0 : stride }, (_, next) => ({
        splitId: String(next),
        next,
        stride,
      }));
      return new DealtSplits(context, splits);
    },
    createReader(context) {
      const { clock } = context.environment;
      const random = new IndexedRandom(options.seed ?? 1);
      const pace = new Pace(options.ratePerSecond, () => clock.monotonicMs());
      return new GeneratingReader<T, DatagenSplit>(context, (split, batch, maxRecords) => {
        const allowed = pace.allowed(split.splitId, split.stride);
        const wanted = Math.min(
          maxRecords,
          allowed,
          Math.ceil((count - split.next) / split.stride),
        );
        let next = split.next;
        for (let made = 0; made < wanted; made++, next += split.stride) {
          const value = options.make(next, random.startAt(next));
          batch.push(value, timestampOf(options, value, next, random));
        }
        pace.made(split.splitId, wanted);
        return {
          split: next < count ? { ...split, next } : null,
          waitMs: pace.waitMs(split.splitId, split.stride),
        };
      });
    },
  };
}

function timestampOf<T>(
  options: DatagenOptions<T>,
  value: T,
  index: number,
  random: Random,
): number {
  if (options.timestamp === undefined) return NO_TIMESTAMP;
  const timestampMs = options.timestamp(value, index);
  if (options.outOfOrdernessMs === undefined) return timestampMs;
  return timestampMs - Math.floor(random.next() * (options.outOfOrdernessMs + 1));
}

/**
 * How many records the clock has allowed since the reader met a split. A reader that was held up
 * catches up on one second at most, so that a long pause is not followed by a flood.
 */
class Pace {
  readonly #perMs: number;
  readonly #nowMs: () => number;
  readonly #splits = new Map<string, { startMs: number; made: number }>();

  constructor(ratePerSecond: number | undefined, nowMs: () => number) {
    this.#perMs = (ratePerSecond ?? Number.POSITIVE_INFINITY) / 1_000;
    this.#nowMs = nowMs;
  }

  /** Records that may be made now. @param share the split's share of the rate is one of so many */
  allowed(splitId: string, share: number): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return this.#perMs;
    const split = this.#split(splitId);
    const perMs = this.#perMs / share;
    const behind = (this.#nowMs() - split.startMs) * perMs - split.made;
    const most = Math.max(1, perMs * 1_000);
    if (behind > most) split.startMs += (behind - most) / perMs;
    return Math.floor(Math.min(behind, most) + 1e-9);
  }

  made(splitId: string, count: number): void {
    if (this.#perMs !== Number.POSITIVE_INFINITY) this.#split(splitId).made += count;
  }

  /** Until the next record is allowed; at least 1 ms. */
  waitMs(splitId: string, share: number): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return 0;
    const split = this.#split(splitId);
    const dueMs = split.startMs + ((split.made + 1) * share) / this.#perMs;
    return Math.max(1, Math.ceil(dueMs - this.#nowMs()));
  }

  #split(splitId: string): { startMs: number; made: number } {
    let split = this.#splits.get(splitId);
    if (split === undefined) {
      split = { startMs: this.#nowMs(), made: 0 };
      this.#splits.set(splitId, split);
    }
    return split;
  }
}
