// Right, and unlike the sinks of this project: nothing is staged anywhere. The rows travel in the
// checkpoint itself, and the target remembers the name of every batch that it has taken.
import type { CommitOutcome, Committer, Sink, SinkContext } from '@millrace/core/connector';
import type { Warehouse } from './warehouse.ts';

interface Batch {
  readonly name: string;
  readonly rows: readonly string[];
}

class LedgerCommitter implements Committer<Batch> {
  readonly #warehouse: Warehouse;
  readonly #context: SinkContext;

  constructor(warehouse: Warehouse, context: SinkContext) {
    this.#warehouse = warehouse;
    this.#context = context;
  }

  async commit(batches: readonly Batch[]): Promise<CommitOutcome[]> {
    const { environment } = this.#context;
    return Promise.all(
      batches.map(async ({ name, rows }) => ({
        kind: (await this.#warehouse.insert(environment, rows, name))
          ? 'committed'
          : 'alreadyCommitted',
      })),
    );
  }

  async close(): Promise<void> {}
}

export function ledgerSink(warehouse: Warehouse): Sink<string, never, Batch> {
  return {
    name: 'ledger',
    delivery: 'exactly-once',
    createWriter({ generation, attempt, subtaskIndex }) {
      let rows: string[] = [];
      return {
        write: (row) => void rows.push(row),
        ready: () => null,
        prepareCommit(checkpointId) {
          const name = `${generation}.${attempt}.${subtaskIndex}.${checkpointId}`;
          const committables = rows.length === 0 ? [] : [{ name, rows }];
          rows = [];
          return async () => ({ committables, writerStates: [] });
        },
        async close() {},
      };
    },
    createCommitter: (context) => new LedgerCommitter(warehouse, context),
  };
}
