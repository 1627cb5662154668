import type { CommitOutcome, Sink, SinkContext, SinkWriter } from '@millrace/core/connector';
import { Handover } from './handover.ts';

/** Names what one writer wrote for one checkpoint. */
export interface MemoryCommittable {
  readonly transaction: string;
}

/** A sink whose output is an array. */
export interface MemorySink<T> extends Sink<T, never, MemoryCommittable> {
  /** What has been committed so far, in the order of the commits. A copy. */
  values(): T[];
  /** Forgets what has been committed. */
  clear(): void;
}

/**
 * Collects what is committed, exactly once, for tests and for programs that embed a job.
 *
 * The sink object plays the foreign system: what is prepared waits in it until it is committed, so
 * it outlives a restart of the job in the same process and thread, and nothing else.
 */
export function memorySink<T>(): MemorySink<T> {
  const committed: T[] = [];
  const prepared = new Map<string, readonly T[]>();
  return {
    name: 'memory',
    delivery: 'exactly-once',
    values: () => [...committed],
    clear: () => void committed.splice(0),
    createWriter: (context) => memoryWriter(context, prepared),
    createCommitter: () => ({
      async commit(committables) {
        return committables.map(({ transaction }): CommitOutcome => {
          const values = prepared.get(transaction);
          // Unknown: it was committed before (or in a process that is no more).
          if (values === undefined) return { kind: 'alreadyCommitted' };
          for (const value of values) committed.push(value);
          prepared.delete(transaction);
          return { kind: 'committed' };
        });
      },
      async close() {},
    }),
    // All that the restored checkpoint names has been committed: the rest is of dead attempts.
    async recover(context) {
      const own = ownerOf(context);
      for (const transaction of [...prepared.keys()]) {
        const [owner, generation, attempt] = JSON.parse(transaction) as [string, number, number];
        const older =
          generation < context.generation ||
          (generation === context.generation && attempt < context.attempt);
        if (owner === own && older) prepared.delete(transaction);
      }
    },
  };
}

function ownerOf({ jobName, instanceId, operatorUid }: SinkContext): string {
  return JSON.stringify([jobName, instanceId, operatorUid]);
}

function memoryWriter<T>(
  context: SinkContext,
  prepared: Map<string, readonly T[]>,
): SinkWriter<T, never, MemoryCommittable> {
  const name = [ownerOf(context), context.generation, context.attempt, context.subtaskIndex];
  const handover = new Handover<MemoryCommittable>();
  let values: T[] = [];
  let count = 0;
  return {
    write: (value) => void values.push(value),
    ready: () => null,
    prepareCommit(checkpointId) {
      if (values.length > 0) {
        const transaction = JSON.stringify([...name, count++]);
        prepared.set(transaction, values);
        handover.add({ transaction });
        values = [];
      }
      const take = handover.cut(checkpointId);
      return async () => ({ committables: take(), writerStates: [] });
    },
    async close() {},
  };
}
