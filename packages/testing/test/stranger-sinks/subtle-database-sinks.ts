// Each is wrong in one place, the way that people get it wrong. All write to the warehouse.
import type { CommitOutcome, Committer, Sink, SinkContext } from '@millrace/core/connector';
import type { Warehouse } from './warehouse.ts';

type StagingSink = Sink<string, string, string>;

const DONE: CommitOutcome = { kind: 'committed' };
const WAS_DONE: CommitOutcome = { kind: 'alreadyCommitted' };

function committer(commit: (batch: string) => Promise<CommitOutcome>): Committer<string> {
  return {
    async commit(batches) {
      const outcomes: CommitOutcome[] = [];
      for (const batch of batches) outcomes.push(await commit(batch));
      return outcomes;
    },
    async close() {},
  };
}

function ownerOf({ generation, attempt, subtaskIndex }: SinkContext): string {
  return `${generation}.${attempt}.${subtaskIndex}`;
}

/** Publishes while the checkpoint is still being made. */
export function publishesAtPrepare(warehouse: Warehouse): StagingSink {
  return {
    name: 'publishes-at-prepare',
    delivery: 'exactly-once',
    createWriter(context) {
      let rows: string[] = [];
      return {
        write: (row) => void rows.push(row),
        ready: () => null,
        prepareCommit(checkpointId) {
          const mine = rows;
          rows = [];
          return async () => {
            const name = `${ownerOf(context)}.${checkpointId}`;
            await warehouse.insert(context.environment, mine, name);
            return { committables: [], writerStates: [] };
          };
        },
        async close() {},
      };
    },
  };
}

/** Inserts whatever it is told to commit, again and again. */
export function commitsBlindly(warehouse: Warehouse): Sink<string, never, readonly string[]> {
  return {
    name: 'commits-blindly',
    delivery: 'exactly-once',
    createWriter() {
      let rows: string[] = [];
      return {
        write: (row) => void rows.push(row),
        ready: () => null,
        prepareCommit() {
          const committables = rows.length === 0 ? [] : [rows];
          rows = [];
          return async () => ({ committables, writerStates: [] });
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) => ({
      async commit(batches) {
        for (const rows of batches) await warehouse.insert(environment, rows);
        return batches.map(() => DONE);
      },
      async close() {},
    }),
  };
}

/** Stages three rows at a time; what is left at a checkpoint waits in memory for the next rows. */
export function forgetsItsRest(warehouse: Warehouse): StagingSink {
  return {
    name: 'forgets-its-rest',
    delivery: 'exactly-once',
    createWriter(context) {
      const { environment } = context;
      let rows: string[] = [];
      let names: string[] = [];
      let count = 0;
      let staging: Promise<void> = Promise.resolve();
      const flush = (): void => {
        const name = `${ownerOf(context)}.${count++}`;
        const batch = rows;
        rows = [];
        names.push(name);
        staging = staging.then(() => warehouse.stage(environment, name, batch));
      };
      return {
        write(row) {
          rows.push(row);
          if (rows.length === 3) flush();
        },
        ready: () => null,
        endInput() {
          if (rows.length > 0) flush();
        },
        prepareCommit() {
          const committables = names;
          names = [];
          return async () => {
            await staging;
            return { committables, writerStates: [] };
          };
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) =>
      committer(async (batch) => ((await warehouse.merge(environment, batch)) ? DONE : WAS_DONE)),
  };
}

/** Goes on with the batch that the restored state names, under the same name. */
export function appendsToOldBatch(warehouse: Warehouse): StagingSink {
  return {
    name: 'appends-to-old-batch',
    delivery: 'exactly-once',
    createWriter(context, restored) {
      const { environment } = context;
      let [open = null] = restored;
      let staging: Promise<void> = Promise.resolve();
      let closed = restored.slice(1);
      let epochs = 0;
      return {
        write(row) {
          open ??= `${ownerOf(context)}.${epochs}`;
          const batch = open;
          staging = staging.then(() => warehouse.stage(environment, batch, [row]));
        },
        ready: () => null,
        endInput() {
          epochs = 1; // so that the last batch is closed, too
        },
        prepareCommit() {
          if (++epochs % 2 === 0 && open !== null) {
            closed = [...closed, open]; // a batch takes the rows of two checkpoints
            open = null;
          }
          const committables = closed;
          const writerStates = open === null ? [] : [open];
          closed = [];
          const done = staging;
          return async () => {
            await done;
            return { committables, writerStates };
          };
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) =>
      committer(async (batch) => ((await warehouse.merge(environment, batch)) ? DONE : WAS_DONE)),
  };
}

/** Right but for its recovery: it drops every staged batch, also those of a younger process. */
export function dropsEverything(warehouse: Warehouse): StagingSink {
  return {
    name: 'drops-everything',
    delivery: 'exactly-once',
    createWriter(context) {
      const { environment } = context;
      let rows: string[] = [];
      return {
        write: (row) => void rows.push(row),
        ready: () => null,
        prepareCommit(checkpointId) {
          const batch = `${ownerOf(context)}.${checkpointId}`;
          const mine = rows;
          rows = [];
          return async () => {
            if (mine.length === 0) return { committables: [], writerStates: [] };
            await warehouse.stage(environment, batch, mine);
            return { committables: [batch], writerStates: [] };
          };
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) =>
      committer(async (batch) => ((await warehouse.merge(environment, batch)) ? DONE : WAS_DONE)),
    async recover({ environment }) {
      for (const batch of await warehouse.batches(environment)) {
        await warehouse.drop(environment, batch);
      }
    },
  };
}
