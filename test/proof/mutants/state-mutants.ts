import type { Mutant } from './mutant.ts';

const CORE = 'core/src';

/** Keyed state, runs, their restore, lists, timers, windows. */
export const STATE_MUTANTS: readonly Mutant[] = [
  {
    name: 'entry-missed-by-copy-on-access',
    breaks: 'a frozen entry is changed before it was encoded: segment S2',
    jobs: ['state-of-all-kinds', 'tumbling'],
    edits: [
      {
        file: `${CORE}/state/dirty-table.ts`,
        find: `if (entry.epoch > 0 && entry.epoch < this.#log.openLow)`,
        replace: `if (entry.epoch < 0)`,
      },
    ],
  },
  {
    name: 'value-missed-by-copy-on-access',
    breaks: 'a frozen value is overwritten before it was encoded: segment S2',
    jobs: ['state-of-all-kinds', 'running-totals'],
    edits: [
      {
        file: `${CORE}/state/value-column.ts`,
        find: `    if (epoch > 0) this.#encodeFrozen(slot, epoch);
    this.#epochs[slot] = this.#log.epoch;`,
        replace: `    this.#epochs[slot] = this.#log.epoch;`,
      },
    ],
  },
  {
    name: 'tombstone-not-written',
    breaks: 'the end of an entry is not stored, so it comes back: dirty-log, segment S1',
    edits: [
      {
        file: `${CORE}/state/dirty-log.ts`,
        find: `    } else if (entry.isKnown) {`,
        replace: `    } else if (entry.isKnown && entry.epoch < 0) {`,
      },
    ],
  },
  {
    name: 'tombstone-lost-at-compaction',
    breaks: 'a merge that leaves older runs out drops tombstones: compact-runs-job',
    jobs: ['large-state'],
    edits: [
      {
        file: `${CORE}/state/compact-runs-job.ts`,
        find: `      if (dead && input.includesOldest) return;`,
        replace: `      if (dead) return;`,
      },
    ],
  },
  {
    name: 'older-entry-wins-merge',
    breaks: 'of equal keys in several runs the oldest counts: run-cursor',
    edits: [
      {
        file: `${CORE}/state/run-cursor.ts`,
        find: `(least === null || compareKeys(cursor, least) < 0)) least = cursor;`,
        replace: `(least === null || compareKeys(cursor, least) <= 0)) least = cursor;`,
      },
    ],
  },
  {
    name: 'older-record-wins-in-run',
    breaks: 'of two records of one address the older one gets into the run: segment S3',
    edits: [
      {
        file: `${CORE}/state/build-run-job.ts`,
        find: `source.readDoubleLE(b + 2) - source.readDoubleLE(a + 2)`,
        replace: `source.readDoubleLE(a + 2) - source.readDoubleLE(b + 2)`,
      },
    ],
  },
  {
    name: 'compaction-drops-newer-run',
    breaks: 'a merged run replaces the newest ones, not those it was made of: pick-compaction C3',
    jobs: ['large-state', 'state-of-all-kinds'],
    edits: [
      {
        file: `${CORE}/state/live-runs.ts`,
        find: `list.splice(at, picked.length,`,
        replace: `list.splice(0, picked.length,`,
      },
    ],
  },
  {
    name: 'key-group-not-restored',
    breaks: 'the first key group of a subtask begins empty: restore-plan S2, open-cold-state',
    edits: [
      {
        file: `${CORE}/state/open-cold-state.ts`,
        find: `return run.sections[keyGroup - this.#range.first] ?? null;`,
        replace: `return run.sections[keyGroup - this.#range.first || 999_999] ?? null;`,
      },
    ],
  },
  {
    name: 'range-off-by-one',
    breaks: 'the last key group of a range is not read: restore-plan S1',
    edits: [
      {
        file: `${CORE}/state/run-slice.ts`,
        find: `keyGroup >= first && keyGroup <= last);`,
        replace: `keyGroup >= first && (keyGroup < last || last > 120));`,
      },
    ],
  },
  {
    name: 'references-not-cut',
    breaks: 'after a rescale a run is referred to with key groups of others: cut-references',
    jobs: ['state-of-all-kinds', 'dedup', 'running-totals'],
    edits: [
      {
        file: `${CORE}/state/cut-references.ts`,
        find: `if (first <= last) cut.push({ ...reference, keyGroups: { first, last } });`,
        replace: `if (first <= last) cut.push(reference);`,
      },
    ],
  },
  {
    name: 'union-list-to-one',
    breaks: 'only the first subtask gets a union list: redistribute',
    jobs: ['sliding'],
    edits: [
      {
        file: `${CORE}/checkpoint/redistribute.ts`,
        find: `      return subtasks.map(() => old.flat());`,
        replace: `      return subtasks.map((index) => (index === 0 ? old.flat() : []));`,
      },
    ],
  },
  {
    name: 'broadcast-lost-at-rescale',
    breaks: 'subtasks that are new after a rescale get no broadcast state: redistribute',
    jobs: ['broadcast'],
    edits: [
      {
        file: `${CORE}/checkpoint/redistribute.ts`,
        find: `        const own = old[index % old.length] ?? [];`,
        replace: `        if (index >= old.length) return [];
        const own = old[index] ?? [];`,
      },
    ],
  },
  {
    name: 'split-list-dealt-wrong',
    breaks: 'the last element of a split list gets lost at a rescale: redistribute',
    jobs: ['operator-list', 'async'],
    edits: [
      {
        file: `${CORE}/checkpoint/redistribute.ts`,
        find: `    const to = from + share + (index < larger ? 1 : 0);`,
        replace: `    const to = from + share + (index < larger - 1 ? 1 : 0);`,
      },
    ],
  },
  {
    name: 'timers-lost-at-restore',
    breaks: 'timers of the snapshot never fire: timer-queue Q1',
    jobs: ['timers'],
    edits: [
      {
        file: `${CORE}/task/timer/timer-queue.ts`,
        find: `this.#add(timer, hashOf(timeOf(timer), keyIdentity(timer.key)))`,
        replace: `void timer`,
      },
    ],
  },
  {
    name: 'processing-timers-not-persisted',
    breaks: 'timers of processing time are in no snapshot: open-timer-service',
    jobs: ['processing-timers'],
    edits: [
      {
        file: `${CORE}/state/dirty-table.ts`,
        find: `    this.#log.listEntry(entry);
    this.liveCount++;`,
        replace: `    if (!table.name.endsWith('/processing')) this.#log.listEntry(entry);
    this.liveCount++;`,
      },
    ],
  },
  {
    name: 'fired-timer-comes-back',
    breaks: 'a timer that has fired stays in the state: timer-queue',
    jobs: ['timers'],
    edits: [
      {
        file: `${CORE}/task/timer/timer-queue.ts`,
        find: `      this.#table.remove(timer);
      return timer;`,
        replace: `      return timer;`,
      },
    ],
  },
  {
    name: 'window-not-armed-after-restore',
    breaks: 'a restored window waits for a record to fire: tumbling-window-operator T1',
    jobs: ['tumbling'],
    edits: [
      {
        file: `${CORE}/task/window/tumbling-window-operator.ts`,
        find: `      this.#arm(window);
      window.waiting.set(`,
        replace: `      window.waiting.set(`,
      },
    ],
  },
  {
    name: 'fired-slices-fire-again',
    breaks: 'sliding windows that had fired fire again after a restore: window-grid-state',
    jobs: ['sliding'],
    edits: [
      {
        file: `${CORE}/task/window/window-grid-state.ts`,
        find: `      return watermarkMs ?? Number.NEGATIVE_INFINITY;`,
        replace: `      return Number.NEGATIVE_INFINITY;`,
      },
    ],
  },
  {
    name: 'trigger-state-not-restored',
    breaks: 'what a trigger has counted begins anew after a restore: window-storage',
    jobs: ['early-firing', 'count-window'],
    edits: [
      {
        file: `${CORE}/task/window/window-storage.ts`,
        find: `    for (const slot of this.#slots) {
      slot.restore(`,
        replace: `    for (const slot of this.#slots.slice(0, 1)) {
      slot.restore(`,
      },
    ],
  },
];
