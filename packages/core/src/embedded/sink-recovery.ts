import type { Environment } from '../base/environment.ts';
import { MetricGroup } from '../metrics/registry.ts';
import type { JobGraph } from '../graph/job-graph.ts';
import type { SinkContext } from '../function/sink.ts';
import { CommitLoop } from '../task/sink/commit-loop.ts';
import type { TaskIdentity } from '../task/task-host.ts';
import type { LoadedRestore } from './loaded-restore.ts';

/**
 * Commits again what a restored checkpoint lists, and lets sinks clean up after dead attempts;
 * before the first record of the attempt.
 *
 * A crash may have come between the completion of the checkpoint and its commits, so some of them
 * may be new; commits are idempotent, so the others change nothing.
 *
 * @param restore null: the job starts fresh; sinks still clean up
 * @throws CommitFailedError, and what a sink's `recover` throws
 */
export async function recoverSinks(
  graph: JobGraph,
  restore: LoadedRestore | null,
  identity: TaskIdentity,
  environment: Environment,
): Promise<void> {
  for (const { operators, parallelism } of graph.vertices) {
    for (const { node } of operators) {
      if (node.spec.kind !== 'sink') continue;
      const { sink } = node.spec;
      const { committables, writerStates } = restore?.sinkState(node.uid) ?? NO_STATE;
      const context: SinkContext = {
        environment,
        ...identity,
        operatorUid: node.uid,
        subtaskIndex: 0,
        parallelism,
        metrics: new MetricGroup(),
      };
      if (committables.length > 0 && sink.createCommitter !== undefined) {
        const committer = sink.createCommitter(context);
        await commitAll(committer, committables, context);
      }
      await sink.recover?.(context, writerStates);
    }
  }
}

const NO_STATE = { committables: [], writerStates: [] } as const;

type AnyCommitter = ConstructorParameters<typeof CommitLoop>[0];

async function commitAll(
  committer: AnyCommitter,
  committables: readonly unknown[],
  context: SinkContext,
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const loop = new CommitLoop(committer, context, reject);
      loop.add(1, committables);
      loop.complete(1);
      loop.settled().then(resolve, reject);
    });
  } finally {
    await committer.close();
  }
}
