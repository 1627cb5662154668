import { Batch, type Source } from '@millrace/core/connector';

/** What a source of numbered events does; all calls come from the thread of the job. */
export interface NumberedEvents<T> {
  /** Makes event `n`; the same at every call. */
  at(n: number): T;
  /** Event time of event `n`. Left out: none. */
  timeMs?(n: number): number;
  /**
   * Called at each poll, before anything is made: how many events may be read now, from `next` on.
   * 0: look again in a millisecond. -1: there will be none any more.
   */
  allowed(next: number): number;
  /** A snapshot was taken, before event `next`. */
  onSnapshot?(next: number): void;
}

interface Position {
  readonly splitId: string;
  readonly next: number;
}

/** One split of numbered events that goes on exactly where a checkpoint cut it. */
export function numberedSource<T>(events: NumberedEvents<T>): Source<T, Position> {
  return {
    name: 'numbered',
    boundedness: 'bounded',
    delivery: 'exactly-once',
    createEnumerator: (context, restored) => {
      let isAssigned = restored === true;
      return {
        start: () => {},
        onSplitRequest(index) {
          if (!isAssigned) context.assignSplits(index, [{ splitId: 'all', next: 0 }]);
          isAssigned = true;
          context.signalNoMoreSplits(index);
        },
        addSplitsBack(splits) {
          isAssigned = true;
          context.assignSplits(0, splits);
        },
        snapshot: () => isAssigned,
        close: () => {},
      };
    },
    createReader(context) {
      let next = -1;
      let hasMore = true;
      let wake = (): void => {};
      return {
        poll(maxRecords) {
          if (next < 0) return hasMore ? 'wait' : 'end';
          const allowed = events.allowed(next);
          if (allowed < 0) return 'end';
          if (allowed === 0) return 'wait';
          const batch = new Batch(Math.min(maxRecords, allowed));
          for (const end = next + batch.capacity; next < end; next++) {
            batch.push(events.at(next), events.timeMs?.(next) ?? Number.NaN);
          }
          return { splitId: 'all', batch };
        },
        available: () =>
          new Promise((resolve) => {
            wake = resolve;
            if (next >= 0) context.environment.scheduler.after(1, resolve);
          }),
        addSplits(splits) {
          next = splits[0]!.next;
          wake();
        },
        noMoreSplits() {
          hasMore = false;
          wake();
        },
        snapshot() {
          events.onSnapshot?.(next);
          return next < 0 ? [] : [{ splitId: 'all', next }];
        },
        finishedSplits: () => [],
        close: async () => {},
      };
    },
  };
}
