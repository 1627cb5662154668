// Timers of the clock, and what happens at the end of input.
import { list, operatorList, type, value } from '@millrace/core';
import type { CampaignJob } from '@millrace/testing/campaign';
import { clicks } from './clicks.ts';
import { fileJob, scaled, toFiles } from './outputs.ts';

const END_MS = 1_000_000;
const DELAY_MS = 4;
/** So many records of a key may come before a timer that is due: those of a turn cut short. */
const PATIENCE = 8;

export const END_JOBS: readonly CampaignJob[] = [
  fileJob(
    'processing-timers',
    (flow, size) => {
      // Few keys, so that the records after a restart are enough to notice that no timer comes.
      const collected = clicks(flow, 'clicks', { splits: 3, count: scaled(150, size) })
        .keyBy((click) => click.points)
        .process('collect', {
          state: { ids: list<string>(), dueMs: value(0), overdue: value(0) },
          output: type<string>(),
          onRecord(click, { state, timers, now, emit }) {
            state.ids.add(click.id);
            timers.registerEventTime(END_MS);
            const dueMs = state.dueMs.get();
            if (dueMs === 0) {
              state.dueMs.set(now() + DELAY_MS);
              timers.registerProcessingTime(now() + DELAY_MS);
            } else if (dueMs < now()) {
              state.overdue.set(state.overdue.get() + 1);
              if (state.overdue.get() === PATIENCE) emit(`no timer of ${click.points} came`);
            }
          },
          onTimer(_timeMs, { state, emit }) {
            for (const id of state.ids.get()) emit(id);
            state.ids.clear();
            state.dueMs.clear();
            state.overdue.clear();
          },
        });
      toFiles(collected);
    },
    { usesProcessingTime: true, hasFreeState: true },
  ),
  // Had it finished, it must not finish again: so it leaves its list as it is.
  fileJob(
    'total-at-the-end',
    (flow, size) => {
      const totals = clicks(flow, 'clicks', { splits: 3, count: scaled(190, size) }).process(
        'total',
        {
          operatorState: { ids: operatorList<string>('split') },
          output: type<string>(),
          onRecord: (click, { lists }) => lists.ids.add(click.id),
          onEnd({ lists, emit }) {
            const ids = [...lists.ids.get()].sort();
            emit(`${ids.length} ${ids.join(' ')}`);
          },
        },
      );
      toFiles(totals);
    },
    { parallelisms: [1] },
  ),
];
