// Doubles: it knows a batch again only if it was the last one that this subtask committed.
import type { CommitOutcome, Sink } from '@millrace/core/connector';
import { remoteCall } from '@millrace/testing';
import type { Warehouse } from './warehouse.ts';

interface Batch {
  readonly subtask: number;
  readonly name: string;
  readonly rows: readonly string[];
}

export function forgetfulTargetSink(warehouse: Warehouse): Sink<string, never, Batch> {
  const lastOf = new Map<number, string>(); // a column of the target, one row per subtask
  return {
    name: 'forgetful-target',
    delivery: 'exactly-once',
    createWriter({ generation, attempt, subtaskIndex: subtask }) {
      let rows: string[] = [];
      return {
        write: (row) => void rows.push(row),
        ready: () => null,
        prepareCommit(checkpointId) {
          const name = `${generation}.${attempt}.${checkpointId}`;
          const committables = rows.length === 0 ? [] : [{ subtask, name, rows }];
          rows = [];
          return async () => ({ committables, writerStates: [] });
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) => ({
      async commit(batches) {
        const outcomes: CommitOutcome[] = [];
        for (const { subtask, name, rows } of batches) {
          const isNew = await remoteCall(environment, () => {
            if (lastOf.get(subtask) === name) return false;
            lastOf.set(subtask, name);
            warehouse.table.push(...rows);
            return true;
          });
          outcomes.push({ kind: isNew ? 'committed' : 'alreadyCommitted' });
        }
        return outcomes;
      },
      async close() {},
    }),
  };
}
