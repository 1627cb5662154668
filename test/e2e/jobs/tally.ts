import { datagen, fileSink, jsonLinesOut } from '@millrace/connectors';
import { job, seconds, tumbling, type, value } from 'millrace';

/** A line of `<output>/numbers`: a number, and how many of its key there were up to it. */
export interface Tally {
  readonly number: number;
  readonly key: number;
  readonly nth: number;
}

/** A line of `<output>/windows`: how many numbers of a key fell into a second of event time. */
export interface Second {
  readonly key: number;
  readonly startMs: number;
  readonly numbers: number;
}

/** How many different keys there are. */
export const KEYS = 5;

/**
 * Numbers in turn, `rate` a second, without end or up to `count`; one a millisecond of event time.
 * Both outputs say whether something was lost or counted twice.
 */
export default job('tally', (flow, { output = 'output', rate = '3000', count, failAt }) => {
  const byKey = flow
    .from(
      'numbers',
      datagen<number>({
        make: (index) => index,
        timestamp: (index) => index,
        ratePerSecond: Number(rate),
        splits: 3,
        ...(count === undefined ? {} : { count: Number(count) }),
      }),
    )
    // Watermarks per split: none of them is ever late, however far they are apart.
    .eventTime({ timestamp: (number) => number, maxOutOfOrdernessMs: 0 })
    .map((number) => {
      if (String(number) === failAt) throw new RangeError(`${number} is one too many`);
      return number;
    })
    .keyBy((number) => number % KEYS);

  byKey
    .process('tally', {
      state: { seen: value(0) },
      output: type<Tally>(),
      onRecord(number, { key, state, emit }) {
        state.seen.set(state.seen.get() + 1);
        emit({ number, key, nth: state.seen.get() });
      },
    })
    .to(
      'tallies',
      fileSink({
        directory: `${output}/numbers`,
        format: jsonLinesOut<Tally>(),
        rolling: 'onCheckpoint',
      }),
    );

  byKey
    .window(tumbling(seconds(1)))
    .aggregate('seconds', { create: () => 0, add: (sum) => sum + 1, merge: (a, b) => a + b })
    .map(
      ({ key, windowStartMs, value: n }): Second => ({ key, startMs: windowStartMs, numbers: n }),
    )
    .to(
      'seconds-out',
      fileSink({ directory: `${output}/windows`, format: jsonLinesOut<Second>() }),
    );
});
