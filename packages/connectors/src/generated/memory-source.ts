import { NO_TIMESTAMP, type Source } from '@millrace/core/connector';
import { GeneratingReader } from './generating-reader.ts';
import { StaticSplits } from './static-splits.ts';

/** A list and how far it has been read. */
export interface MemorySplit {
  readonly splitId: string;
  /** Of the list in the source. */
  readonly list: number;
  /** Next record to read. */
  readonly offset: number;
}

/** Options of `memorySource`. */
export interface MemorySourceOptions<T> {
  /** One list per split; each is read in order, by one reader. */
  readonly splits: readonly (readonly T[])[];
  /** Milliseconds since 1970; left out: records have no timestamp of their own. */
  readonly timestamp?: (value: T) => number;
}

/**
 * Values held in memory, in one or more splits. Bounded; exactly-once as long as a restart builds
 * the same lists.
 */
export function memorySource<T>(
  options: MemorySourceOptions<T>,
): Source<T, MemorySplit, readonly MemorySplit[]> {
  const { splits: lists, timestamp } = options;
  return {
    name: 'memory',
    boundedness: 'bounded',
    delivery: 'exactly-once',
    createEnumerator(context, restored) {
      const fresh = lists.map((_, list) => ({ splitId: String(list), list, offset: 0 }));
      return new StaticSplits(context, restored ?? fresh);
    },
    createReader(context) {
      return new GeneratingReader<T, MemorySplit>(context, (split, batch, maxRecords) => {
        const values = lists[split.list] ?? [];
        const end = Math.min(values.length, split.offset + maxRecords);
        for (let at = split.offset; at < end; at++) {
          const value = values[at]!;
          batch.push(value, timestamp === undefined ? NO_TIMESTAMP : timestamp(value));
        }
        return { split: end < values.length ? { ...split, offset: end } : null, waitMs: 0 };
      });
    },
  };
}

/** The values of an array, in order, as one split. */
export function fromArray<T>(
  values: readonly T[],
  options: { readonly timestamp?: (value: T) => number } = {},
): Source<T, MemorySplit, readonly MemorySplit[]> {
  return memorySource({ ...options, splits: [values] });
}
