// Windows whose input holds records later than the watermark allows. The watermark is not in
// snapshots, so after a restart such a record may find its window open again: what is committed is
// not the same as without faults, but must fulfil a relation.
import { tumbling, type } from '@millrace/core';
import type { CampaignJob } from '@millrace/testing/campaign';
import { allClicks, clicks, type ClickOptions } from './clicks.ts';
import { fileJob, scaled, toFiles } from './outputs.ts';

const SIZE_MS = 400;
const LATENESS_MS = 300;

function input(inputSize: number): ClickOptions {
  return { splits: 3, count: scaled(90, inputSize), lateEvery: 9 };
}

export const LATE_JOB: CampaignJob = fileJob(
  'late-records',
  (flow, size) => {
    const windows = clicks(flow, 'clicks', input(size))
      .keyBy((click) => click.user)
      .window(tumbling(SIZE_MS))
      .allowedLatenessMs(LATENESS_MS)
      .process('collect', {
        output: type<string>(),
        onWindow(values, { key, window, emit }) {
          const ids = [...values].map(({ id }) => id).sort();
          emit(`window ${key} ${window.startMs} ${ids.join(' ')}`);
        },
      });
    toFiles(windows);
    toFiles(
      windows.late().map(({ id }) => `late ${id}`),
      'late',
    );
  },
  { hasLateRecords: true, hasFreeState: true, judge },
);

/**
 * Each record is, exactly once, either in the late output or counted by its window. Firings of one
 * window each hold what the one before held and more, until it is dropped; if it comes to life
 * again it holds other records only.
 */
function judge(committed: readonly string[], _: readonly string[], inputSize: number): string[] {
  const late = new Map<string, number>();
  const firings = new Map<string, Set<string>[]>();
  for (const line of committed) {
    const [kind, first, second, ...ids] = line.split(' ');
    if (kind === 'late') late.set(first!, (late.get(first!) ?? 0) + 1);
    else {
      const name = `${first} ${second}`;
      firings.set(name, [...(firings.get(name) ?? []), new Set(ids)]);
    }
  }
  const counted = new Map<string, string>();
  const wrong: string[] = [];
  for (const [name, sets] of firings) {
    for (const ids of lastFirings(name, sets, wrong)) {
      for (const id of ids) {
        if (counted.has(id)) wrong.push(`${id} is counted twice: ${counted.get(id)}, ${name}`);
        counted.set(id, name);
      }
    }
  }
  for (const { id, user, at } of allClicks(input(inputSize))) {
    const times = (late.get(id) ?? 0) + (counted.has(id) ? 1 : 0);
    if (times !== 1) wrong.push(`${id} is ${times} times in late output and windows`);
    const own = `${user} ${Math.floor(at / SIZE_MS) * SIZE_MS}`;
    if (counted.has(id) && counted.get(id) !== own) wrong.push(`${id} is in ${counted.get(id)}`);
  }
  return wrong;
}

// Of each life of a window the firing that holds most.
function lastFirings(name: string, sets: readonly Set<string>[], wrong: string[]): Set<string>[] {
  const bySize = [...sets].sort((a, b) => b.size - a.size);
  const last: Set<string>[] = [];
  for (const [index, set] of bySize.entries()) {
    const larger = bySize.slice(0, index).filter((other) => [...set].some((id) => other.has(id)));
    if (larger.length === 0) last.push(set);
    else if (!larger.every((other) => [...set].every((id) => other.has(id)))) {
      wrong.push(`firings of ${name} hold different records: ${[...set]}`);
    } else if (larger.some((other) => other.size === set.size)) {
      wrong.push(`${name} fires twice with the same records: ${[...set]}`);
    }
  }
  return last;
}
