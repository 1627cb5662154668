import {
  aggregating,
  broadcastMap,
  type Flow,
  list,
  map,
  operatorList,
  reducing,
  sideOutput,
  type,
  value,
} from '@millrace/core';
import type { CampaignJob } from '@millrace/testing/campaign';
import { clicks } from './clicks.ts';
import { fileJob, finishedFiles, scaled, toFiles } from './outputs.ts';

const END_MS = 1_000_000;
const TTL_MS = 25;
const bonus = sideOutput<string>('bonus');
const rules = broadcastMap<string, number>('rules');

/** Functions with state and timers, and everything that is not a window. */
export const PROCESS_JOBS: readonly CampaignJob[] = [
  fileJob('timers', (flow, size) => defineTimers(flow, size)),
  fileJob('state-of-all-kinds', (flow, size) => defineStates(flow, size)),
  fileJob('ttl', (flow, size) => defineTtl(flow, size), {
    usesProcessingTime: true,
    hasFreeState: true,
    judge: judgeTtl,
  }),
  fileJob(
    'dedup',
    (flow, size) => {
      const firsts = clicks(flow, 'clicks', { splits: 3, count: scaled(110, size) })
        .keyBy((click) => [click.user, click.points] as const)
        .process('first', {
          state: { seen: value(false) },
          output: type<string>(),
          onRecord(click, { state, emit }) {
            if (state.seen.get()) return;
            state.seen.set(true);
            emit(`${click.user} ${click.points}`);
          },
        });
      toFiles(firsts);
    },
    { isIdempotent: true },
  ),
  fileJob(
    'running-totals',
    (flow, size) => {
      const running = clicks(flow, 'clicks', {
        splits: 3,
        count: scaled(110, size),
        ownUsers: true,
      })
        .keyBy((click) => click.user)
        .reduce('running', (a, b) => ({ ...b, points: a.points + b.points }))
        .map((click) => `${click.user} ${click.points} ${click.id}`);
      toFiles(running);
    },
    { committed: orderedTotals },
  ),
  fileJob('two-input', (flow, size) => defineTwoInput(flow, size)),
  fileJob('interval-join', (flow, size) => {
    const pairs = clicks(flow, 'left', { splits: 2, count: scaled(80, size) })
      .keyBy((click) => click.user)
      .intervalJoin(
        clicks(flow, 'right', { splits: 1, count: scaled(80, size) }).keyBy((click) => click.user),
        { lowerMs: -150, upperMs: 150 },
      )
      .process('pairs', {
        output: type<string>(),
        onPair(left, right, { emit }) {
          emit(`${left.id} ${right.id}`);
        },
      });
    toFiles(pairs);
  }),
  fileJob('broadcast', (flow, size) => defineBroadcast(flow, size)),
  fileJob('async', (flow, size) => {
    const enriched = clicks(flow, 'clicks', { splits: 3, count: scaled(190, size) })
      .mapAsync('enrich', async (click) => `${click.id} enriched`, {
        order: 'unordered',
        capacity: 3,
      })
      .map((line) => `${line}!`);
    toFiles(enriched);
  }),
  fileJob(
    'union-and-partitions',
    (flow, size) => {
      const one = clicks(flow, 'one', { splits: 2, count: scaled(45, size) });
      const two = clicks(flow, 'two', { splits: 1, count: scaled(45, size) });
      const lines = one
        .union(two)
        .rebalance()
        .flatMap<string>((click, emit) => {
          for (let i = 0; i < click.points; i++) emit(`${click.id} ${i}`);
        })
        .parallelism(3);
      toFiles(lines);
    },
    { isIdempotent: true },
  ),
  fileJob('operator-list', (flow, size) => {
    const held = clicks(flow, 'clicks', { splits: 3, count: scaled(300, size) }).process(
      'collect',
      {
        operatorState: { held: operatorList<string>('split') },
        output: type<string>(),
        onRecord(click, { lists, emit }) {
          lists.held.add(click.id);
          if (lists.held.get().length < 4) return;
          for (const line of lists.held.get()) emit(line);
          lists.held.update([]);
        },
        onEnd({ lists, emit }) {
          for (const line of lists.held.get()) emit(line);
          lists.held.update([]);
        },
      },
    );
    toFiles(held);
  }),
];

function defineTimers(flow: Flow, size: number): void {
  const alarms = clicks(flow, 'clicks', { splits: 3, count: scaled(80, size) })
    .keyBy((click) => click.user)
    .process('alarms', {
      state: { times: list<number>(), cancelled: value(0) },
      output: type<string>(),
      onRecord(click, { state, timers }) {
        state.times.add(click.at);
        const endMs = Math.floor(click.at / 300) * 300 + 299;
        timers.registerEventTime(endMs);
        // A second timer that is taken back again by the fourth click of a user.
        if (click.points === 4) timers.deleteEventTime(END_MS + 1);
        else timers.registerEventTime(END_MS);
      },
      onTimer(timeMs, { key, state, emit, side }) {
        const times = state.times.get().filter((at) => at <= timeMs);
        emit(`${key} ${timeMs} ${times.length}`);
        if (timeMs > 1_000) side(bonus, `bonus ${key} ${timeMs}`);
      },
    });
  toFiles(alarms);
  toFiles(alarms.sideOutput(bonus), 'bonus');
}

function defineStates(flow: Flow, size: number): void {
  const totals = clicks(flow, 'clicks', { splits: 3, count: scaled(100, size) })
    .keyBy((click) => click.user)
    .process('totals', {
      state: {
        points: value(0),
        ids: list<string>(),
        byPoints: map<number, number>(),
        most: reducing<number>(Math.max),
        mean: aggregating({
          create: () => ({ sum: 0, count: 0 }),
          add: (acc, points: number) => ({ sum: acc.sum + points, count: acc.count + 1 }),
          result: (acc) => acc.sum / acc.count,
        }),
      },
      output: type<string>(),
      onRecord({ id, points }, { state, timers }) {
        state.points.set(state.points.get() + points);
        state.ids.add(id);
        state.byPoints.set(points, (state.byPoints.get(points) ?? 0) + 1);
        state.most.add(points);
        state.mean.add(points);
        timers.registerEventTime(END_MS);
      },
      onTimer(_timeMs, { key, state, emit }) {
        const ids = [...state.ids.get()].sort();
        const counts = [...state.byPoints.entries()].map(([k, v]) => `${k}=${v}`).sort();
        emit(`${key} ${state.points.get()} ${state.most.get()} ${state.mean.get()}`);
        emit(`${key} ${ids} ${counts}`);
        // What remains is compared as state of the last checkpoint.
        state.ids.update(ids);
      },
    });
  toFiles(totals);
}

// Counts per key until the entry expires. When that is depends on when a record comes, so the
// output is judged by its own logic.
function defineTtl(flow: Flow, size: number): void {
  const counts = clicks(flow, 'clicks', { splits: 3, count: scaled(110, size), ownUsers: true })
    .keyBy((click) => click.user)
    .process('count', {
      state: { count: value(0, { ttl: { ttlMs: TTL_MS } }) },
      output: type<string>(),
      onRecord(click, { state, emit }) {
        const count = state.count.get() + 1;
        state.count.set(count);
        emit(`${click.user} ${click.id.split('-')[1]} ${count}`);
      },
    });
  toFiles(counts);
}

// Every record once; the counts of a user go up by one, or begin again at one.
function judgeTtl(committed: readonly string[], expected: readonly string[]): string[] {
  const wrong: string[] = [];
  const places = (lines: readonly string[]): string[] =>
    lines.map((line) => line.split(' ').slice(0, 2).join(' ')).sort();
  if (places(committed).join() !== places(expected).join()) {
    wrong.push(`records are lost or doubled: ${committed.length}, not ${expected.length}`);
  }
  const byUser = Map.groupBy(committed, (line) => line.split(' ')[0]!);
  for (const [user, lines] of byUser) {
    const counts = lines
      .map((line) => line.split(' ').slice(1).map(Number) as [number, number])
      .sort(([a], [b]) => a - b);
    let before = 0;
    for (const [index, count] of counts) {
      if (count !== 1 && count !== before + 1) {
        wrong.push(`count of ${user} at ${index} is ${count} after ${before}`);
      }
      before = count;
    }
  }
  return wrong;
}

// Per user totals only grow: their order within a file is that of the input.
function orderedTotals(world: Parameters<typeof finishedFiles>[0]): string[] {
  return finishedFiles(world).flatMap(({ path, lines }) => {
    const last = new Map<string, number>();
    return lines.map((line) => {
      const [user, total] = line.split(' ');
      const before = last.get(user!) ?? 0;
      last.set(user!, Number(total));
      return Number(total) > before ? line : `out of order in ${path}: ${line} after ${before}`;
    });
  });
}

function defineTwoInput(flow: Flow, size: number): void {
  const pairs = clicks(flow, 'left', { splits: 2, count: scaled(65, size) })
    .keyBy((click) => click.user)
    .connect(
      clicks(flow, 'right', { splits: 2, count: scaled(45, size) }).keyBy((click) => click.user),
    )
    .process('pairs', {
      state: { left: list<string>(), right: list<string>() },
      output: type<string>(),
      onRecord1(click, { state, emit }) {
        state.left.add(click.id);
        for (const other of state.right.get()) emit(`${click.id} ${other}`);
      },
      onRecord2(click, { state, emit }) {
        state.right.add(click.id);
        for (const other of state.left.get()) emit(`${other} ${click.id}`);
      },
    });
  toFiles(pairs);
}

function defineBroadcast(flow: Flow, size: number): void {
  const ruled = clicks(flow, 'clicks', { splits: 2, count: scaled(90, size) })
    .keyBy((click) => click.user)
    .connect(clicks(flow, 'rules', { splits: 1, count: scaled(40, size) }).broadcast(rules))
    .process('ruled', {
      state: { points: value(0) },
      output: type<string>(),
      onRecord(click, { state, timers }) {
        state.points.set(state.points.get() + click.points);
        timers.registerEventTime(END_MS);
      },
      onBroadcast(click, { broadcast }) {
        broadcast.set(click.user, click.points);
      },
      onTimer(_timeMs, { key, state, broadcast, emit }) {
        emit(`${key} ${state.points.get()} ${broadcast.get(key)}`);
      },
    });
  toFiles(ruled);
}
