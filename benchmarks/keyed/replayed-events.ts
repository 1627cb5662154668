import { Batch, type Source } from '@millrace/core/connector';

/** One record of the benchmark. */
export interface BidEvent {
  /** A key: one of `KEYS` strings. */
  readonly user: string;
  /** The same key as a small integer. */
  readonly item: number;
  readonly price: number;
  /** Event time, counted from `EventClock.baseMs`. */
  readonly offsetMs: number;
}

export const KEYS = 10_000;
export const BATCH_SIZE = 1_024;
/** Batches that are made before the measurement and then come again and again. */
const BATCHES = 64;
/** Event time that a batch covers: about 50 000 records per second of event time. */
const BATCH_MS = 20;
/** Records come out of order by up to this much. */
export const OUT_OF_ORDER_MS = 100;

/**
 * The same batches for everybody: made once, outside of what is measured, and handed out again and
 * again. Event time goes on nevertheless, because a record's time counts from the start of its
 * round. So the figures hold no cost of making records, which would hide the engine's own.
 */
export class ReplayedEvents {
  readonly #batches: readonly Batch[];
  readonly #baseMs = new Float64Array(1); // a plain number would be allocated at every change
  #next = 0;

  constructor(seed: number) {
    const random = randomFrom(seed);
    this.#batches = Array.from({ length: BATCHES }, (_, round) => batchOf(round, random));
  }

  /** The next batch. Its timestamps are the receiver's to write. */
  next(): Batch {
    const at = this.#next++;
    this.#baseMs[0] = Math.floor(at / BATCHES) * BATCHES * BATCH_MS;
    return this.#batches[at % BATCHES]!;
  }

  /** From the beginning again. */
  rewind(): void {
    this.#next = 0;
  }

  /** Event time of a record of the batch that was handed out last. */
  readonly timestampOf = (event: BidEvent): number => this.#baseMs[0]! + event.offsetMs;
}

/** What the engine reads: `batches` batches, then the end. Tells the time of the reading. */
export interface ReadingTimes {
  startedAtMs: number;
  endedAtMs: number;
  startedCpuMs: number;
  endedCpuMs: number;
}

/** A source over the batches; not restorable, it serves measurements only. */
export function replaySource(
  events: ReplayedEvents,
  batches: number,
  times: ReadingTimes,
): Source<BidEvent> {
  return {
    name: 'replay',
    boundedness: 'bounded',
    delivery: 'exactly-once',
    createEnumerator: (context) => ({
      start: () => {},
      onSplitRequest: (index) => {
        context.assignSplits(index, [{ splitId: 'all' }]);
        context.signalNoMoreSplits(index);
      },
      addSplitsBack: () => {},
      snapshot: () => null,
      close: () => {},
    }),
    createReader() {
      let left = batches;
      let isAssigned = false;
      let wake = (): void => {};
      return {
        poll() {
          if (!isAssigned) return 'wait';
          if (left === batches) {
            times.startedAtMs = performance.now();
            times.startedCpuMs = threadCpuMs();
          }
          if (left-- > 0) return { splitId: 'all', batch: events.next() };
          times.endedAtMs = performance.now();
          times.endedCpuMs = threadCpuMs();
          return 'end';
        },
        available: () =>
          new Promise((resolve) => {
            wake = resolve;
          }),
        addSplits() {
          isAssigned = true;
          wake();
        },
        noMoreSplits: () => wake(),
        snapshot: () => [{ splitId: 'all' }],
        finishedSplits: () => [],
        close: async () => {},
      };
    },
  };
}

/** Processor time of this thread, without helper threads. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function batchOf(round: number, random: () => number): Batch {
  const values: BidEvent[] = [];
  for (let i = 0; i < BATCH_SIZE; i++) {
    const item = Math.floor(random() * KEYS);
    const inOrder = round * BATCH_MS + (i / BATCH_SIZE) * BATCH_MS;
    const offsetMs = Math.floor(inOrder + OUT_OF_ORDER_MS - random() * OUT_OF_ORDER_MS);
    const price = 1 + Math.floor(random() * 1_000);
    values.push({ user: USERS[item]!, item, price, offsetMs });
  }
  return Batch.of(values);
}

// From JSON, so that they are flat strings: a concatenated one is a slower key.
const USERS: readonly string[] = JSON.parse(
  JSON.stringify(Array.from({ length: KEYS }, (_, item) => `user-${item}`)),
);

/** Small and good enough; the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
