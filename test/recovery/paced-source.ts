// A source that rests after every batch, so that checkpoints complete while it is being read: the
// simulator's clock only moves when there is nothing to do.
import type { ReaderContext, Source, SourceReader, SourceSplit } from '@millrace/core/connector';

/** The same source, with a pause after each batch. @param pauseMs asked after each of them */
export function paced<T, Split extends SourceSplit, State>(
  source: Source<T, Split, State>,
  pauseMs: () => number,
): Source<T, Split, State> {
  return {
    ...source,
    createReader: (context) => pacedReader(source.createReader(context), context, pauseMs),
  };
}

function pacedReader<T, Split extends SourceSplit>(
  reader: SourceReader<T, Split>,
  { environment: { clock, scheduler } }: ReaderContext,
  pauseMs: () => number,
): SourceReader<T, Split> {
  let untilMs = 0;
  const restMs = (): number => untilMs - clock.monotonicMs();
  return {
    poll(maxRecords) {
      if (restMs() > 0) return 'wait';
      const polled = reader.poll(maxRecords);
      if (typeof polled === 'object') untilMs = clock.monotonicMs() + pauseMs();
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
