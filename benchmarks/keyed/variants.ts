import { job, type JobDefinition, type DataStream, sliding, tumbling, type, value } from 'millrace';
import type { HandInput } from './hand-loops.ts';
import { runningMaximum, slidingCount, totalOfKey, tumblingCount } from './hand-loops.ts';
import {
  type BidEvent,
  OUT_OF_ORDER_MS,
  type ReadingTimes,
  type ReplayedEvents,
  replaySource,
} from './replayed-events.ts';
import { type Tally, tallySink } from './tally.ts';

/** One task, by hand and as a job. */
export interface Variant {
  readonly name: string;
  readonly hand: (input: HandInput) => void;
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly keyOf: (event: BidEvent) => string | number;
  readonly define: (stream: DataStream<BidEvent>, variant: Variant, tally: Tally) => void;
}

const SIZE_MS = 10_000;
const SLIDE_MS = 2_000;

const count = {
  create: () => 0,
  add: (n: number) => n + 1,
  merge: (a: number, b: number) => a + b,
};

function windowed(stream: DataStream<BidEvent>, variant: Variant, tally: Tally): void {
  const { sizeMs, slideMs, keyOf } = variant;
  stream
    .keyBy(keyOf)
    .window(sizeMs === slideMs ? tumbling(sizeMs) : sliding(sizeMs, slideMs))
    .aggregate('count', count)
    .to(
      'tally',
      tallySink<{ readonly value: number }>(tally, (result) => result.value),
    );
}

function reduced(stream: DataStream<BidEvent>, { keyOf }: Variant, tally: Tally): void {
  stream
    .keyBy(keyOf)
    .reduce('maximum', (a, b) => (b.price > a.price ? b : a))
    .to(
      'tally',
      tallySink<BidEvent>(tally, (event) => event.price),
    );
}

function processed(stream: DataStream<BidEvent>, { keyOf }: Variant, tally: Tally): void {
  stream
    .keyBy(keyOf)
    .process('totals', {
      state: { total: value(0) },
      output: type<{ readonly key: string | number; readonly total: number }>(),
      onRecord(event, { state, key, emit }) {
        const total = state.total.get() + event.price;
        state.total.set(total);
        if (event.price > 990) emit({ key, total });
      },
    })
    .to(
      'tally',
      tallySink<{ readonly total: number }>(tally, (result) => result.total),
    );
}

const byUser = (event: BidEvent): string => event.user;
const byItem = (event: BidEvent): number => event.item;

const tasks = [
  { name: 'tumbling count', hand: tumblingCount, slideMs: SIZE_MS, define: windowed },
  { name: 'sliding count', hand: slidingCount, slideMs: SLIDE_MS, define: windowed },
  { name: 'keyed reduce', hand: runningMaximum, slideMs: SIZE_MS, define: reduced },
  { name: 'keyed process', hand: totalOfKey, slideMs: SIZE_MS, define: processed },
];

/** Every task with string keys and with integer keys. */
export const VARIANTS: readonly Variant[] = tasks.flatMap((task) => [
  {
    ...task,
    name: `${task.name}, string keys`,
    hand: freshCopy(task.hand),
    sizeMs: SIZE_MS,
    keyOf: byUser,
  },
  {
    ...task,
    name: `${task.name}, integer keys`,
    hand: freshCopy(task.hand),
    sizeMs: SIZE_MS,
    keyOf: byItem,
  },
]);

/** The job of a variant. */
export function jobOf(
  variant: Variant,
  events: ReplayedEvents,
  batches: number,
  times: ReadingTimes,
  tally: Tally,
): JobDefinition {
  return job('keyed-benchmark', (flow) => {
    const stream = flow.from('events', replaySource(events, batches, times)).eventTime({
      timestamp: events.timestampOf,
      maxOutOfOrdernessMs: OUT_OF_ORDER_MS,
    });
    variant.define(stream, variant, tally);
  });
}

// Without this the loop of one variant would be slowed down by what it has seen of another.
function freshCopy(loop: (input: HandInput) => void): (input: HandInput) => void {
  return new Function(`return (${loop.toString()})`)();
}
