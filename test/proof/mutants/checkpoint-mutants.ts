import type { Mutant } from './mutant.ts';

const CORE = 'core/src';

/** Coordinator, log of slots, recovery, retention, storage. */
export const CHECKPOINT_MUTANTS: readonly Mutant[] = [
  {
    name: 'commit-before-durable',
    breaks: 'sinks are told at the last acknowledgement: coordinator P1',
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-coordinator.ts`,
        find: `    this.#replace({ ...pending, missing, phase });
    this.#storeNext();`,
        replace: `    this.#replace({ ...pending, missing, phase });
    if (phase === 'acknowledged') {
      this.commands.push({ kind: 'notifyComplete', checkpointId: event.checkpointId });
    }
    this.#storeNext();`,
      },
    ],
  },
  {
    name: 'dead-attempt-completes',
    breaks: 'late acknowledgements of a dead attempt complete its checkpoint: coordinator P2',
    jobs: ['split-by-split', 'async', 'two-shuffles'],
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-coordinator.ts`,
        find: `(pending) => pending.checkpointId === checkpointId && pending.attempt === attempt,`,
        replace: `(pending) => pending.checkpointId === checkpointId && attempt > 0,`,
      },
      {
        file: `${CORE}/coordinator/checkpoint-coordinator.ts`,
        find: `    this.#giveUpAll(reason);
    this.#set({ attempt: null,`,
        replace: `    if (reason === 'job-stopped') this.#giveUpAll(reason);
    this.#set({ attempt: null,`,
      },
      {
        file: `${CORE}/embedded/task-runner.ts`,
        find: `if (!this.#stopped) this.#events.toCoordinator(message);`,
        replace: `this.#events.toCoordinator(message);`,
      },
    ],
  },
  {
    name: 'restart-before-outcome',
    breaks: 'the next attempt does not wait for the store under way: coordinator P3, job-runner B1',
    jobs: ['split-by-split', 'transactional-sink'],
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-driver.ts`,
        find: `    await this.#background;
    cancel();`,
        replace: `    cancel();`,
      },
    ],
  },
  {
    name: 'restart-from-older',
    breaks: 'a restart takes the oldest checkpoint that is kept: checkpoint-files',
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-files.ts`,
        find: `next.slot.checkpointId > latest.slot.checkpointId ? next : latest,`,
        replace: `next.slot.checkpointId < latest.slot.checkpointId ? next : latest,`,
      },
    ],
  },
  {
    name: 'slot-before-manifest',
    breaks: 'the slot is won while the manifest is still being written: checkpoint-writer W3',
    edits: [
      {
        file: `${CORE}/coordinator/manifest-store.ts`,
        find: `  const isOurs = await withRetries(environment, ATTEMPTS, async () => {`,
        replace: `  const isOurs = true;
  void withRetries(environment, ATTEMPTS, async () => {`,
      },
      {
        file: `${CORE}/coordinator/manifest-store.ts`,
        find: `    return Buffer.compare(await storage.get(name), bytes) === 0;
  });`,
        replace: `    return Buffer.compare(await storage.get(name), bytes) === 0;
  }).catch(() => false);`,
      },
    ],
  },
  {
    name: 'lost-slot-counts',
    breaks: 'who finds its slot taken goes on as if it had won: slot-log L1, fencing off',
    edits: [
      {
        file: `${CORE}/checkpoint/slot-log.ts`,
        find: `    if (!isSame(mine, found)) return 'lost';`,
        replace: `    if (!isSame(mine, found)) return mine.kind === 'claim' ? 'lost' : 'won';`,
      },
    ],
  },
  {
    name: 'slot-overwritten',
    breaks: 'a slot is created over one that is there: slot-log L1, file-storage F2',
    edits: [
      {
        file: `${CORE}/storage/file-storage.ts`,
        find: `await this.#files.link(temporary, this.#path(name));`,
        replace: `await this.#files.rename(temporary, this.#path(name));`,
      },
    ],
  },
  {
    name: 'no-look-after-win',
    breaks: 'a winner does not look for higher slots: slot-log L3',
    jobs: ['async'],
    edits: [
      {
        file: `${CORE}/checkpoint/slot-log.ts`,
        find: `  return highestSequence > sequence ? 'lost' : 'won';`,
        replace: `  return 'won';`,
      },
    ],
  },
  {
    name: 'confirm-ignores-list',
    breaks: 'a process that was taken over does not see it in the list: job-runner B4, sweep G1',
    edits: [
      {
        file: `${CORE}/coordinator/log-owner.ts`,
        find: `    if (highest <= this.highestSequence) return;`,
        replace: `    if (highest > 0) return;`,
      },
    ],
  },
  {
    name: 'pruned-to-nothing',
    breaks: 'the log is pruned up to the checkpoints that are kept, claims too: slot-log L4',
    edits: [
      {
        file: `${CORE}/checkpoint/slot-log.ts`,
        find: `sequence < keepFrom);`,
        replace: `sequence < Math.max(keepFrom, oldestKept));`,
      },
    ],
  },
  {
    name: 'run-deleted-too-early',
    breaks: 'files of given-up checkpoints go at once: checkpoint-files D2',
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-files.ts`,
        find: `      if (!isNeeded && fromId > toldUpTo) continue;`,
        replace: `      if (fromId < 0) continue;`,
      },
      {
        file: `${CORE}/coordinator/checkpoint-files.ts`,
        find: `needed.has(file) || isInUse(file);`,
        replace: `needed.has(file);`,
      },
    ],
  },
  {
    name: 'pending-runs-deleted',
    breaks: 'runs of acknowledged pending checkpoints are not needed: checkpoint-files D1, D2',
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-files.ts`,
        find: `    const needed = filesOfSnapshots([...pending.values()].flat());`,
        replace: `    const needed = filesOfSnapshots([]);`,
      },
      {
        file: `${CORE}/coordinator/checkpoint-files.ts`,
        find: `      if (!isNeeded && fromId > toldUpTo) continue;`,
        replace: `      if (fromId < 0) continue;`,
      },
    ],
  },
  {
    name: 'kept-runs-deleted',
    breaks: 'retention deletes runs that a kept checkpoint still refers to: checkpoint-files D1',
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-files.ts`,
        find: `for (const file of filesOf(manifest).keys()) needed.add(file);`,
        replace: `for (const file of filesOf(manifest).keys()) needed.delete(file);`,
      },
    ],
  },
  {
    name: 'running-attempt-swept',
    breaks: 'the sweep at a restart deletes what the new attempt writes: checkpoint-driver',
    jobs: ['large-state', 'two-shuffles'],
    edits: [
      {
        file: `${CORE}/coordinator/checkpoint-driver.ts`,
        find: `return origin.generation === generation && origin.attempt === attempt;`,
        replace: `return origin.generation === generation && origin.attempt < attempt;`,
      },
      {
        file: `${CORE}/coordinator/run-use.ts`,
        find: `    this.#files.set(file, { holds: 0, isBeingWritten: true });`,
        replace: `    this.#files.set(file, { holds: 0, isBeingWritten: true });
    if (file !== '') return;`,
      },
    ],
  },
  {
    name: 'nothing-swept',
    breaks: 'dead files of earlier processes stay for ever: sweep',
    edits: [
      {
        file: `${CORE}/coordinator/sweep.ts`,
        find: `return verdict === 'garbage' && !mayComeAgain;`,
        replace: `return verdict === 'garbage' && mayComeAgain;`,
      },
    ],
  },
  {
    name: 'write-without-sync',
    breaks: 'objects get their name before their bytes are durable: file-storage F1',
    edits: [
      {
        file: `${CORE}/storage/file-storage.ts`,
        find: `      await file.sync();`,
        replace: ``,
      },
    ],
  },
  {
    name: 'no-directory-sync',
    breaks: 'names of objects are not durable when a write has returned: file-storage F1',
    edits: [
      {
        file: `${CORE}/storage/file-storage.ts`,
        find: `      await this.#files.syncDirectory(directory);`,
        replace: ``,
      },
    ],
  },
  {
    name: 'reference-before-run',
    breaks: 'a run is referred to before it is durable: run-file-store F1',
    edits: [
      {
        file: `${CORE}/embedded/run-file-store.ts`,
        find: `        await storage.put(file, chunks);`,
        replace: `        storage.put(file, chunks).catch(() => {});`,
      },
    ],
  },
];
