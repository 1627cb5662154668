// A source that rests after every batch, so that checkpoints complete while it is being read: the
// simulator's clock only moves when there is nothing to do.
import type { ReaderContext, Source, SourceReader, SourceSplit } from '@millrace/core/connector';

/** How fast a source is read. */
export interface Pace {
  /** Batches that come one after the other. */
  readonly burst: number;
  /** Between two bursts. */
  readonly pauseMs: number;
}

/** The same source, with a pause after each burst of batches. @param pace asked at each start */
export function paced<T, Split extends SourceSplit, State>(
  source: Source<T, Split, State>,
  pace: () => Pace,
): Source<T, Split, State> {
  return {
    ...source,
    createReader: (context) => pacedReader(source.createReader(context), context, pace()),
  };
}

function pacedReader<T, Split extends SourceSplit>(
  reader: SourceReader<T, Split>,
  { environment: { clock, scheduler } }: ReaderContext,
  { burst, pauseMs }: Pace,
): SourceReader<T, Split> {
  let untilMs = 0;
  let left = burst;
  const restMs = (): number => untilMs - clock.monotonicMs();
  return {
    poll(maxRecords) {
      if (restMs() > 0) return 'wait';
      const polled = reader.poll(maxRecords);
      if (typeof polled === 'object' && --left === 0) {
        left = burst;
        untilMs = clock.monotonicMs() + pauseMs;
      }
      return polled;
    },
    available() {
      const delayMs = restMs();
      if (delayMs <= 0) return reader.available();
      return new Promise((resolve) => void scheduler.after(delayMs, resolve));
    },
    addSplits: (splits) => reader.addSplits(splits),
    noMoreSplits: () => reader.noMoreSplits(),
    snapshot: (checkpointId) => reader.snapshot(checkpointId),
    finishedSplits: () => reader.finishedSplits(),
    close: () => reader.close(),
  };
}
