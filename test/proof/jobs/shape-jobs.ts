// Shapes of jobs that the others do not have: records between two operators with state, splits that
// are dealt out one by one, state larger than the smallest level of runs, files that are finished
// at every checkpoint.
import { fileSink, linesOut, memorySource } from '@millrace/connectors';
import { type DataStream, type Flow, list, map, type, value } from '@millrace/core';
import type { CampaignJob } from '@millrace/testing/campaign';
import { clicks } from './clicks.ts';
import { fileJob, scaled, toFiles } from './outputs.ts';

const END_MS = 1_000_000;
/** Above the 64 KB of the smallest level: then there are merges that leave the oldest run out. */
const BALLAST_CHARACTERS = 90_000;
/** Entries of a map that live at a time. */
const LIVE_ENTRIES = 3;

export const SHAPE_JOBS: readonly CampaignJob[] = [
  fileJob('two-shuffles', (flow, size) => defineTwoShuffles(flow, size)),
  fileJob('split-by-split', (flow, size) => {
    const splits = Array.from({ length: 12 }, (_, split) =>
      Array.from({ length: scaled(80, size) }, (_, index) => `${split}-${index}`),
    );
    toManyFiles(flow.from('lines', memorySource({ splits })).map((id) => id));
  }),
  fileJob('large-state', (flow, size) => defineLargeState(flow, size)),
];

function toManyFiles(stream: DataStream<string>): void {
  const format = linesOut();
  stream.to('out', fileSink({ directory: '/out/out', format, rolling: 'onCheckpoint' }));
}

// The first operator emits per record, so records are on their way when barriers come.
function defineTwoShuffles(flow: Flow, size: number): void {
  const collected = clicks(flow, 'clicks', { splits: 3, count: scaled(90, size) })
    .keyBy((click) => click.user)
    .process('number', {
      state: { count: value(0) },
      output: type<{ readonly id: string; readonly points: number }>(),
      onRecord({ id, points }, { state, emit }) {
        state.count.set(state.count.get() + 1);
        emit({ id, points });
        emit({ id: `${id}'`, points: points + 1 });
      },
    })
    .keyBy((one) => one.points)
    .process('collect', {
      state: { ids: list<string>() },
      output: type<string>(),
      onRecord({ id }, { key, state, timers, emit }) {
        emit(`${key} ${id} comes`);
        state.ids.add(id);
        timers.registerEventTime(END_MS);
      },
      onTimer(_timeMs, { key, state, emit }) {
        for (const id of [...state.ids.get()].sort()) emit(`${key} ${id}`);
      },
    });
  toManyFiles(collected);
}

function defineLargeState(flow: Flow, size: number): void {
  const last = clicks(flow, 'clicks', { splits: 1, count: scaled(300, size) })
    .keyBy((click) => click.user)
    .process('last', {
      state: { ballast: value(''), last: map<string, number>() },
      output: type<string>(),
      onRecord({ id, points }, { key, state, timers }) {
        if (state.ballast.get() === '' && key === 'ada') state.ballast.set(ballast());
        state.last.set(id, points);
        const ids = [...state.last.keys()];
        for (const old of ids.slice(0, -LIVE_ENTRIES)) state.last.delete(old);
        timers.registerEventTime(END_MS);
      },
      onTimer(_timeMs, { key, state, emit }) {
        emit(`${key} ${[...state.last.keys()].join(' ')} ${state.ballast.get().length}`);
      },
    });
  toFiles(last);
}

// Text that no compression makes small.
function ballast(): string {
  let state = 1;
  return Array.from({ length: BALLAST_CHARACTERS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String.fromCharCode(33 + (state >>> 24) / 3);
  }).join('');
}
