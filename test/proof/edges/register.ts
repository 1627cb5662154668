// Puts a counter around the state machines of the engine, without a line in the product: whoever
// imports one of these modules gets it with some exports wrapped. To be loaded first: --import.
import { registerHooks } from 'node:module';

const here = new URL('.', import.meta.url).href;
const core = new URL('../../../packages/core/src/', import.meta.url).href;

/** Module of the engine -> module here that exports `watch(plain)`, and the names it wraps. */
const watched: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  'coordinator/checkpoint-coordinator.ts': ['coordinator-edges.ts', ['coordinatorStep']],
  'coordinator/restart-backoff.ts': ['restart-edges.ts', ['onFailure']],
  'task/barrier/barrier-aligner.ts': ['aligner-edges.ts', ['BarrierAligner']],
  'task/sink/committer-step.ts': ['committer-edges.ts', ['completeUpTo', 'onOutcomes']],
  'checkpoint/slot-log.ts': ['slot-edges.ts', ['judgeSlot', 'readLog']],
  'embedded/job-runner.ts': ['runner-edges.ts', ['JobRunner']],
  'state/segment.ts': ['segment-edges.ts', ['Segment']],
};

registerHooks({
  load(url, context, nextLoad) {
    const entry = url.startsWith(core) ? watched[url.slice(core.length)] : undefined;
    if (entry === undefined) return nextLoad(url, context);
    const [watcher, names] = entry;
    const source = `
      import * as plain from '${url}?plain';
      export * from '${url}?plain';
      import { watch } from '${here}${watcher}';
      export const { ${names.join(', ')} } = watch(plain);
    `;
    return { format: 'module', source, shortCircuit: true };
  },
});
