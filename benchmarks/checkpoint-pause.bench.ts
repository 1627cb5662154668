// How long the data path stands still because of a checkpoint, with a large state that changes:
//
//   node tools/start.js benchmarks/checkpoint-pause.bench.ts
//     [--keys 1000000] [--seconds 30] [--rate 50000 | --rate full]
//
// One value of about 100 bytes per key, keys updated at random, a checkpoint every second to real
// files. Pause of a checkpoint = the longest time between two polls of the source (one batch is
// processed in between) from its trigger to its completion. The times are taken in the source,
// which belongs to the benchmark. To tell what the machine adds, there are also: the processor time
// of the thread in the longest gap, the same gaps without a checkpoint under way, and the longest
// gap that an idle thread saw at the same time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Batch, type Source } from '@millrace/core/connector';
import { job, run, value } from 'millrace';
import { threadCpuMs } from './keyed/replayed-events.ts';
import { Tally, tallySink } from './keyed/tally.ts';
import { percentile, print } from './measurement.ts';

const { values: options } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '50000' },
  },
});
const keys = Number(options.keys);
const measuredMs = Number(options.seconds) * 1_000;
const perMs = options.rate === 'full' ? Number.POSITIVE_INFINITY : Number(options.rate) / 1_000;

interface Update {
  readonly key: number;
  readonly amount: number;
}

/** The value of a key: about 100 bytes when encoded. */
interface Account {
  readonly owner: string;
  readonly city: string;
  readonly note: string;
  readonly updates: number;
  readonly balance: number;
}

/** When each poll began: wall clock and processor time of the thread, in milliseconds. */
class PollTimes {
  readonly wall = new Float64Array(1 << 22);
  readonly cpu = new Float64Array(1 << 22);
  count = 0;
  /** Records handed out. */
  records = 0;

  note(): void {
    if (this.count === this.wall.length) return;
    this.wall[this.count] = performance.now();
    this.cpu[this.count++] = threadCpuMs();
  }

  /** The longest time between two polls, of which a part lies in the interval. */
  longestGap(clock: 'wall' | 'cpu', fromMs: number, toMs: number): number {
    const { wall, [clock]: times } = this;
    let longest = 0;
    for (let i = 1; i < this.count && wall[i - 1]! < toMs; i++) {
      if (wall[i]! > fromMs) longest = Math.max(longest, times[i]! - times[i - 1]!);
    }
    return longest;
  }
}

/** First every key once, then keys at random until `stop`. Tells the time of each poll. */
function updates(times: PollTimes, filled: () => void): Source<Update> {
  let next = 0;
  let state = 1;
  let madeSinceFilled = 0;
  let filledAtMs = 0;
  const nextKey = (): number => {
    if (next < keys) return next++;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 4) % keys;
  };
  return {
    name: 'updates',
    boundedness: 'continuous',
    delivery: 'exactly-once',
    createEnumerator: (context) => ({
      start: () => {},
      onSplitRequest: (index) => context.assignSplits(index, [{ splitId: 'all' }]),
      addSplitsBack: () => {},
      snapshot: () => null,
      close: () => {},
    }),
    createReader(context) {
      let isAssigned = false;
      let wake = (): void => {};
      return {
        poll(maxRecords) {
          if (!isAssigned) return 'wait';
          times.note();
          const isFilled = next >= keys;
          if (isFilled && filledAtMs === 0) {
            filledAtMs = performance.now();
            filled();
          }
          if (isFilled && madeSinceFilled > (performance.now() - filledAtMs) * perMs) return 'wait';
          const batch = new Batch(maxRecords);
          for (let i = 0; i < maxRecords; i++)
            batch.push({ key: nextKey(), amount: i }, Number.NaN);
          times.records += maxRecords;
          if (isFilled) madeSinceFilled += maxRecords;
          return { splitId: 'all', batch };
        },
        available: () =>
          new Promise((resolve) => {
            wake = resolve;
            if (isAssigned) context.environment.scheduler.after(1, resolve);
          }),
        addSplits() {
          isAssigned = true;
          wake();
        },
        noMoreSplits: () => {},
        snapshot: () => [{ splitId: 'all' }],
        finishedSplits: () => [],
        close: async () => {},
      };
    },
  };
}

const accountOf = (key: number): Account => ({
  owner: `owner-number-${key}`,
  city: `city-${key % 1_000}`,
  note: 'first seen in the benchmark of pauses',
  updates: 0,
  balance: 0.5,
});

const accounts = (times: PollTimes, filled: () => void) =>
  job('checkpoint-pause', (flow) => {
    flow
      .from('updates', updates(times, filled))
      .keyBy((update) => update.key)
      .process('accounts', {
        state: { account: value<Account>() },
        onRecord({ amount }, { key, state }) {
          const before = state.account.get() ?? accountOf(key);
          const { owner, city, note } = before;
          const balance = before.balance + amount;
          state.account.set({ owner, city, note, updates: before.updates + 1, balance });
        },
      })
      .to(
        'nowhere',
        tallySink<never>(new Tally(), () => 0),
      );
  });

/** Gaps of a thread that only looks at the clock: [start, length] pairs of those above 2 ms. */
function noiseThread(): { readonly stop: () => Promise<readonly (readonly [number, number])[]> } {
  const code = `
    const { parentPort, performance } = { ...require('worker_threads'), ...require('perf_hooks') };
    const gaps = []; let last = performance.timeOrigin + performance.now();
    parentPort.on('message', () => { parentPort.postMessage(gaps); clearInterval(timer); });
    const timer = setInterval(() => {
      const now = performance.timeOrigin + performance.now();
      if (now - last > 2) gaps.push([last, now - last]);
      last = now;
    }, 1);`;
  const worker = new Worker(code, { eval: true });
  return {
    stop: () =>
      new Promise((resolve) => {
        worker.once('message', (gaps) => {
          resolve(gaps);
          void worker.terminate();
        });
        worker.postMessage('stop');
      }),
  };
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly writtenBytes: number;
  readonly totalBytes: number;
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const times = new PollTimes();
  const spans: Span[] = [];
  const { promise: isFilled, resolve: filled } = Promise.withResolvers<void>();
  const execution = await run(accounts(times, filled), {
    from: 'none',
    checkpoints: { directory, intervalMs: 1_000 },
    onEvent(event) {
      if (event.kind !== 'checkpointCompleted') return;
      const { durationMs, writtenBytes, totalBytes } = event.checkpoint;
      const toMs = performance.now();
      spans.push({ fromMs: toMs - durationMs, toMs, writtenBytes, totalBytes });
    },
  });
  await isFilled;
  // The checkpoint that holds the whole first state is not one of those that are measured.
  const seen = spans.length;
  while (spans.length < seen + 2) await new Promise((resolve) => setTimeout(resolve, 100));
  const startedAtMs = performance.now();
  const startedAt = times.records;
  const noise = noiseThread();
  await new Promise((resolve) => setTimeout(resolve, measuredMs));
  const endedAtMs = performance.now();
  const records = times.records - startedAt;
  const gaps = await noise.stop();
  await execution.cancel();
  rmSync(directory, { recursive: true });
  const measured = spans.filter(({ fromMs, toMs }) => fromMs > startedAtMs && toMs < endedAtMs);
  report(times, measured, gaps, records / (endedAtMs - startedAtMs));
}

function report(
  times: PollTimes,
  spans: readonly Span[],
  gaps: readonly (readonly [number, number])[],
  recordsPerMs: number,
): void {
  const during = (clock: 'wall' | 'cpu'): number[] =>
    spans.map(({ fromMs, toMs }) => times.longestGap(clock, fromMs, toMs));
  const between = (clock: 'wall' | 'cpu'): number[] =>
    spans.slice(1).map(({ fromMs }, i) => times.longestGap(clock, spans[i]!.toMs, fromMs));
  const noise = spans.map(({ fromMs, toMs }) => {
    const seen = gaps.filter(([at, length]) => {
      const startMs = at - performance.timeOrigin;
      return startMs < toMs && startMs + length > fromMs;
    });
    return Math.max(0, ...seen.map(([, length]) => length));
  });
  const row = (what: string, figures: readonly number[]): object => ({
    what,
    count: figures.length,
    p50: round1(percentile(figures, 0.5)),
    p99: round1(percentile(figures, 0.99)),
    max: round1(Math.max(...figures)),
  });
  print('checkpoint-pause', [
    row('pause ms', during('wall')),
    row('pause, processor ms', during('cpu')),
    row('gap without checkpoint ms', between('wall')),
    row('gap without checkpoint, processor ms', between('cpu')),
    row('gap of an idle thread ms', noise),
    row(
      'checkpoint ms',
      spans.map(({ fromMs, toMs }) => toMs - fromMs),
    ),
    row(
      'written MB',
      spans.map(({ writtenBytes }) => writtenBytes / 1e6),
    ),
    row(
      'state MB (compressed runs)',
      spans.map(({ totalBytes }) => totalBytes / 1e6),
    ),
    row('updates per ms', [recordsPerMs]),
  ]);
}

function round1(figure: number): number {
  return Math.round(figure * 10) / 10;
}

await main();
