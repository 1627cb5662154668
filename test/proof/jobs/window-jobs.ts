import {
  countWindow,
  type DataStream,
  globalWindow,
  session,
  sliding,
  triggers,
  tumbling,
  type,
  type WindowDefinition,
} from '@millrace/core';
import type { CampaignJob } from '@millrace/testing/campaign';
import { type Click, clicks } from './clicks.ts';
import { fileJob, scaled, toFiles } from './outputs.ts';

const sum = {
  create: () => 0,
  add: (total: number, click: Click) => total + click.points,
  merge: (a: number, b: number) => a + b,
};

function windowed(name: string, window: WindowDefinition<Click>): CampaignJob {
  return fileJob(name, (flow, size) => {
    const sums = clicks(flow, 'clicks', { splits: 3, count: scaled(90, size) })
      .keyBy((click) => click.user)
      .window(window)
      .aggregate('sums', sum)
      .map((w) => `${w.key} ${w.windowStartMs}-${w.windowEndMs} ${w.value}`);
    toFiles(sums);
  });
}

/** All kinds of windows, and what is built on them. */
export const WINDOW_JOBS: readonly CampaignJob[] = [
  windowed('tumbling', tumbling(400)),
  windowed('sliding', sliding(600, 200)),
  windowed('session', session(90)),
  fileJob('global-window', (flow, size) => {
    const last = clicks(flow, 'clicks', { splits: 3, count: scaled(90, size) })
      .keyBy((click) => click.user)
      .window(globalWindow({ fire: 'endOfStream' }))
      .reduce('last', (a, b) => (a.at > b.at || (a.at === b.at && a.id > b.id) ? a : b))
      .map((w) => `${w.key} ${w.value.id}`);
    toFiles(last);
  }),
  fileJob('count-window', (flow, size) => {
    const fives = clicks(flow, 'clicks', { splits: 3, count: scaled(90, size), ownUsers: true })
      .keyBy((click) => click.user)
      .window(countWindow(5))
      .process('fives', {
        output: type<string>(),
        onWindow(values, { key, emit }) {
          emit(`${key} ${[...values].map(({ id }) => id).join(' ')}`);
        },
      });
    toFiles(fives);
  }),
  fileJob('early-firing', (flow, size) => {
    const pairs = clicks(flow, 'clicks', { splits: 3, count: scaled(90, size), ownUsers: true })
      .keyBy((click) => click.user)
      .window(tumbling(1_000))
      .trigger(triggers.purging(triggers.count(2)))
      .aggregate('pairs', sum)
      .map((w) => `${w.key} ${w.windowStartMs} ${w.value}`);
    toFiles(pairs);
  }),
  fileJob('top-n', (flow, size) => toFiles(topOfWindows(flow, size))),
];

// Two shuffles: totals per user and window, then the three best of each window.
function topOfWindows(flow: Parameters<typeof clicks>[0], size: number): DataStream<string> {
  return clicks(flow, 'clicks', { splits: 3, count: scaled(60, size) })
    .keyBy((click) => click.user)
    .window(tumbling(400))
    .aggregate('totals', sum)
    .keyBy((total) => total.windowEndMs)
    .window(tumbling(400))
    .process('top', {
      output: type<string>(),
      onWindow(totals, { key, emit }) {
        const best = [...totals]
          .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1))
          .slice(0, 3);
        emit(`${key} ${best.map((one) => `${one.key}=${one.value}`).join(' ')}`);
      },
    });
}
