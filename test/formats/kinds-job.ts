import { fromArray, type MemorySink } from '@millrace/connectors';
import { aggregating, job, list, map, reducing, tumbling, type, value } from '@millrace/core';

/** How many numbers `kindsJob` reads. */
export const KINDS_COUNT = 240;

const NUMBERS = Array.from({ length: KINDS_COUNT }, (_, number) => number);
const KEYS = ['a', '', 7, -0.5, 10n, true, ['t', 1]] as const;

/**
 * The job that wrote `kinds-v1` and `kinds-v2` when it had read a part of its input: keys of all
 * types, states of all kinds, timers, windows. Not to be changed.
 *
 * @param onNumber called with each number that the states have taken in
 */
export function kindsJob(
  out: MemorySink<string>,
  windowsOut: MemorySink<string>,
  onNumber: () => void = () => {},
) {
  return job('kinds', (flow) => {
    const keyed = flow
      .from('numbers', fromArray(NUMBERS, { timestamp: (number) => number * 10 }))
      .eventTime({ timestamp: (number) => number * 10, maxOutOfOrdernessMs: 50 })
      .keyBy((number) => KEYS[number % KEYS.length]!);
    keyed
      .process('all-kinds', {
        state: {
          last: value<{ at: Date; odd?: unknown } | null>(null),
          recent: list<number>(),
          seen: map<string, number>(),
          sum: reducing<number>((a, b) => a + b),
          mean: aggregating({
            create: () => ({ count: 0, sum: 0 }),
            add: (all, number: number) => ({ count: all.count + 1, sum: all.sum + number }),
            result: ({ count, sum }) => sum / count,
          }),
          brief: value(0, { ttl: { ttlMs: 1e12 } }),
        },
        output: type<string>(),
        onRecord(number, { key, state, timers, emit }) {
          const odd = [new Map([[1n, new Set(['x'])]]), -0, Number.NaN, undefined];
          state.last.set({ at: new Date(number), ...(number % 2 === 0 ? {} : { odd }) });
          if (state.recent.get().length === 5) state.recent.update(state.recent.get().slice(1));
          state.recent.add(number);
          state.seen.set(`mod ${number % 9}`, number);
          if (number % 4 === 0) state.seen.delete(`mod ${(number + 3) % 9}`);
          state.sum.add(number);
          state.mean.add(number);
          state.brief.set(state.brief.get() + 1);
          timers.registerEventTime(number * 10 + 300);
          const facts = [
            state.recent.get(),
            [...state.seen.entries()],
            state.sum.get(),
            state.mean.get(),
            state.brief.get(),
            state.last.get()?.at.getTime(),
          ];
          emit(`${String(key)} ${JSON.stringify(facts)}`);
          onNumber();
        },
        onTimer(timeMs, { key, emit }) {
          emit(`${String(key)} at ${timeMs}`);
        },
      })
      .to('out', out);
    keyed
      .window(tumbling(500))
      .aggregate('windows', {
        create: () => 0,
        add: (sum, number) => sum + number,
        merge: (a, b) => a + b,
      })
      .map(({ key, windowStartMs, value: sum }) => `${String(key)} from ${windowStartMs}: ${sum}`)
      .to('windows-out', windowsOut);
  });
}
