// Jobs for crash tests: each reads small scripted input and writes lines through the exactly-once
// file sink. What they write does not depend on the order in which subtasks have their turns.
import {
  aggregating,
  broadcastMap,
  countWindow,
  type DataStream,
  type Flow,
  globalWindow,
  job,
  type JobDefinition,
  list,
  map,
  operatorList,
  reducing,
  session,
  sideOutput,
  sliding,
  triggers,
  tumbling,
  type,
  value,
} from '@millrace/core';
import { fileSink, linesOut, memorySource, type OutputFormat } from '@millrace/connectors';
import { paced } from './paced-source.ts';

/** What the input is made of. */
export interface Click {
  readonly user: string;
  readonly at: number;
  readonly points: number;
}

/** A job and how it is run. */
export interface SimulatedJob {
  readonly name: string;
  readonly job: JobDefinition;
  readonly parallelism: number;
  /** Of the lives after the first; left out: the same. */
  readonly parallelismAfterCrash?: number;
}

/** What a test can do to all jobs. */
export const conditions = {
  /** Called by the functions of every job; may throw. */
  onUserCode(): void {},
  /** Pauses are long enough for checkpoints to complete meanwhile. */
  pace: { burst: 2, pauseMs: 30 },
};

const USERS = ['ada', 'bob', 'cyd', 'dan', 'eve'];
/** More than all of the input: splits may be read one after the other, and nothing is ever late. */
const BOUND_MS = 30_000;
/** More than the disorder within a split: enough if there is only one, and event time goes on. */
const SINGLE_SPLIT_BOUND_MS = 700;

function clicks(split: number, count: number): Click[] {
  return Array.from({ length: count }, (_, i) => ({
    user: USERS[(i * 7 + split * 3) % USERS.length]!,
    at: i * 400 + ((i * 37 + split * 11) % 5) * 150,
    points: 1 + ((i + split) % 4),
  }));
}

function source(flow: Flow, uid = 'clicks', splits = 2, count = 24): DataStream<Click> {
  const lists = Array.from({ length: splits }, (_, split) => clicks(split, count));
  return flow
    .from(
      uid,
      paced(memorySource<Click>({ splits: lists }), () => conditions.pace),
    )
    .eventTime({
      timestamp(click) {
        conditions.onUserCode();
        return click.at;
      },
      maxOutOfOrdernessMs: splits === 1 && uid === 'clicks' ? SINGLE_SPLIT_BOUND_MS : BOUND_MS,
    });
}

function out(stream: DataStream<string>, uid = 'out'): void {
  stream.to(uid, fileSink({ directory: `/out/${uid}`, format: LINES }));
}

const LINES: OutputFormat<string> = {
  ...linesOut(),
  encode(line) {
    conditions.onUserCode();
    return `${line}\n`;
  },
};

const byUser = (click: Click): string => {
  conditions.onUserCode();
  return click.user;
};

function simulated(
  name: string,
  define: (flow: Flow) => void,
  parallelism = 1,
  parallelismAfterCrash?: number,
): SimulatedJob {
  const definition = job(name, define);
  return {
    name,
    job: definition,
    parallelism,
    ...(parallelismAfterCrash === undefined ? {} : { parallelismAfterCrash }),
  };
}

const sum = { create: () => 0, add: (a: number, c: Click) => a + c.points, merge: plus };

function plus(a: number, b: number): number {
  return a + b;
}

function windowed(
  name: string,
  window: Parameters<ReturnType<DataStream<Click>['keyBy']>['window']>[0],
  splits = 2,
): SimulatedJob {
  return simulated(
    name,
    (flow) =>
      out(
        source(flow, 'clicks', splits, 48 / splits)
          .keyBy(byUser)
          .window(window)
          .aggregate('sums', sum)
          .map((w) => `${w.key} ${w.windowStartMs}-${w.windowEndMs} ${w.value}`),
      ),
    2,
  );
}

const bonus = sideOutput<string>('bonus');
const rules = broadcastMap<string, number>('rules');

function alarms(name: string, splits: number): SimulatedJob {
  return simulated(
    name,
    (flow) =>
      out(
        source(flow, 'clicks', splits, 48 / splits)
          .keyBy(byUser)
          .process('alarms', {
            state: {
              points: value(0),
              times: list<number>(),
              byPoints: map<number, number>(),
              most: reducing<number>(Math.max),
              mean: aggregating({
                create: () => ({ sum: 0, count: 0 }),
                add: (acc, points: number) => ({ sum: acc.sum + points, count: acc.count + 1 }),
                result: (acc) => acc.sum / acc.count,
              }),
            },
            output: type<string>(),
            onRecord(click, { state, timers }) {
              state.points.set(state.points.get() + click.points);
              state.times.add(click.at);
              state.byPoints.set(click.points, (state.byPoints.get(click.points) ?? 0) + 1);
              state.most.add(click.points);
              state.mean.add(click.points);
              timers.registerEventTime(Math.floor(click.at / 1_500) * 1_500 + 1_499);
            },
            onTimer(timeMs, { key, state, emit, side }) {
              const times = state.times.get().filter((at) => at <= timeMs);
              emit(`${key} ${timeMs} ${times.length}`);
              if (timeMs > 4_000) side(bonus, `${key} ${timeMs}`);
            },
          })
          .map((line) => line),
      ),
    2,
  );
}

/** Every kind of operator at least once. */
export const SIMULATED_JOBS: readonly SimulatedJob[] = [
  simulated('stateless', (flow) =>
    out(
      source(flow)
        .filter((click) => click.points > 1)
        .flatMap<string>((click, emit) => {
          for (let i = 0; i < click.points; i++) emit(`${click.user} ${click.at} ${i}`);
        }),
    ),
  ),
  windowed('tumbling', tumbling(1_000)),
  windowed('sliding', sliding(2_000, 500)),
  windowed('session', session(700)),
  // One split: event time goes on while it is read, and windows fire between checkpoints.
  windowed('tumbling-on-the-way', tumbling(1_000), 1),
  windowed('sliding-on-the-way', sliding(2_000, 500), 1),
  windowed('session-on-the-way', session(1_700), 1),
  simulated(
    'count-window',
    (flow) =>
      out(
        source(flow)
          .keyBy(byUser)
          .window(countWindow(3))
          .process('threes', {
            output: type<string>(),
            onWindow(values, { key, emit }) {
              emit(`${key} ${[...values].length}`);
            },
          }),
      ),
    2,
  ),
  simulated(
    'global-window',
    (flow) =>
      out(
        source(flow)
          .keyBy(byUser)
          .window(globalWindow({ fire: 'endOfStream' }))
          .reduce('last', (a, b) => (a.at > b.at ? a : b))
          .map((w) => `${w.key} ${w.value.at}`),
      ),
    2,
  ),
  simulated(
    'early-firing',
    (flow) =>
      out(
        source(flow, 'clicks', 1)
          .keyBy(byUser)
          .window(tumbling(5_000))
          .trigger(triggers.purging(triggers.count(2)))
          .aggregate('pairs', sum)
          .map((w) => `${w.key} ${w.windowStartMs} ${w.value}`),
      ),
    1,
  ),
  alarms('timers', 2),
  alarms('timers-on-the-way', 1),
  simulated(
    'state-at-the-end',
    (flow) =>
      out(
        source(flow)
          .keyBy(byUser)
          .process('totals', {
            state: { points: value(0), times: list<number>(), counts: map<string, number>() },
            output: type<string>(),
            onRecord({ points, at }, { state, timers }) {
              state.points.set(state.points.get() + points);
              state.times.add(at);
              const kind = points > 2 ? 'high' : 'low';
              state.counts.set(kind, (state.counts.get(kind) ?? 0) + 1);
              timers.registerEventTime(1_000_000);
            },
            onTimer(_timeMs, { key, state, emit }) {
              const times = [...state.times.get()].sort((a, b) => a - b);
              const counts = [...state.counts.entries()].map(([k, v]) => `${k}=${v}`).sort();
              emit(`${key} ${state.points.get()} ${times} ${counts}`);
            },
          }),
      ),
    2,
  ),
  simulated(
    'deduplicate',
    (flow) =>
      out(
        source(flow)
          .keyBy((click) => [click.user, click.points] as const)
          .process('first', {
            state: { seen: value(false) },
            output: type<string>(),
            onRecord(click, { state, emit }) {
              if (state.seen.get()) return;
              state.seen.set(true);
              emit(`${click.user} ${click.points}`);
            },
          }),
      ),
    2,
  ),
  simulated(
    'reduce',
    (flow) =>
      out(
        source(flow, 'clicks', 1)
          .keyBy(byUser)
          .reduce('running', (a, b) => ({ ...b, points: a.points + b.points }))
          .map((click) => `${click.user} ${click.at} ${click.points}`),
      ),
    1,
  ),
  simulated(
    'two-input',
    (flow) =>
      out(
        source(flow, 'left')
          .keyBy(byUser)
          .connect(source(flow, 'right', 1, 8).keyBy(byUser))
          .process('pairs', {
            state: { left: list<number>(), right: list<number>() },
            output: type<string>(),
            onRecord1(click, { state, key, emit }) {
              state.left.add(click.at);
              for (const other of state.right.get()) emit(`${key} ${click.at} ${other}`);
            },
            onRecord2(click, { state, key, emit }) {
              state.right.add(click.at);
              for (const other of state.left.get()) emit(`${key} ${other} ${click.at}`);
            },
          }),
      ),
    2,
  ),
  simulated(
    'broadcast',
    (flow) =>
      out(
        source(flow)
          .keyBy(byUser)
          .connect(source(flow, 'rules', 1, 4).broadcast(rules))
          .process('ruled', {
            state: { points: value(0) },
            output: type<string>(),
            onRecord(click, { state, timers }) {
              state.points.set(state.points.get() + click.points);
              timers.registerEventTime(1_000_000);
            },
            onBroadcast(click, { broadcast }) {
              broadcast.set(click.user, click.points);
            },
            onTimer(_timeMs, { key, state, broadcast, emit }) {
              emit(`${key} ${state.points.get()} ${broadcast.get(key)}`);
            },
          }),
      ),
    2,
  ),
  simulated(
    'async',
    (flow) =>
      out(
        source(flow)
          .mapAsync('enrich', async (click) => `${click.user} ${click.at} enriched`, {
            order: 'unordered',
            capacity: 3,
          })
          .map((line) => `${line}!`),
      ),
    2,
  ),
  simulated(
    'union-and-partitions',
    (flow) => {
      const all = source(flow, 'one').union(source(flow, 'two', 1, 6));
      out(
        all
          .rebalance()
          .map((click) => `${click.user} ${click.at}`)
          .parallelism(3),
      );
    },
    2,
  ),
  simulated(
    'operator-list',
    (flow) =>
      out(
        source(flow).process('collect', {
          operatorState: { held: operatorList<string>('split') },
          output: type<string>(),
          onRecord(click, { lists, emit }) {
            lists.held.add(`${click.user} ${click.at}`);
            if (lists.held.get().length < 4) return;
            for (const line of lists.held.get()) emit(line);
            lists.held.update([]);
          },
          onEnd({ lists, emit }) {
            for (const line of lists.held.get()) emit(line);
            lists.held.update([]);
          },
        }),
      ),
    2,
  ),
  simulated('rescale-up', (flow) => rescaled(flow), 1, 3),
  simulated('rescale-down', (flow) => rescaled(flow), 3, 2),
];

function rescaled(flow: Flow): void {
  out(
    source(flow, 'clicks', 4, 16)
      .keyBy(byUser)
      .window(tumbling(1_000))
      .aggregate('sums', sum)
      .map((w) => `${w.key} ${w.windowStartMs} ${w.value}`),
  );
}
