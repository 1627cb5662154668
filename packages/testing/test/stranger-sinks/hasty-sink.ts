// Loses: it tells the checkpoint what to commit while the rows are still on their way.
import type { CommitOutcome, Sink } from '@millrace/core/connector';
import type { Warehouse } from './warehouse.ts';

export function hastySink(warehouse: Warehouse): Sink<string, never, string> {
  return {
    name: 'hasty',
    delivery: 'exactly-once',
    createWriter({ environment, generation, attempt, subtaskIndex }) {
      let count = 0;
      let batch: string | null = null;
      return {
        write(row) {
          batch ??= `${generation}.${attempt}.${subtaskIndex}.${count++}`;
          void warehouse.stage(environment, batch, [row]); // nobody waits for it
        },
        ready: () => null,
        prepareCommit() {
          const committables = batch === null ? [] : [batch];
          batch = null;
          return async () => ({ committables, writerStates: [] });
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) => ({
      async commit(batches) {
        const outcomes: CommitOutcome[] = [];
        for (const batch of batches) {
          const merged = await warehouse.merge(environment, batch);
          outcomes.push({ kind: merged ? 'committed' : 'alreadyCommitted' });
        }
        return outcomes;
      },
      async close() {},
    }),
  };
}
