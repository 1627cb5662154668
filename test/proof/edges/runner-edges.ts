import type * as plainModule from '../../../packages/core/src/embedded/job-runner.ts';
import { countEdge } from './edge-counter.ts';

type Plain = Pick<typeof plainModule, 'JobRunner'>;

const MACHINE = 'job';

/** See the drawing in job-runner.ts. */
export const EDGES: readonly string[] = [
  'starting -> running',
  'starting -> restarting',
  'starting -> failed',
  'running -> finished',
  'running -> restarting',
  'running -> stopping',
  'running -> cancelled',
  'running -> failed',
  'stopping -> stopped',
  'stopping -> finished',
  'stopping -> restarting',
  'stopping -> failed',
  'restarting -> running',
  'restarting -> restarting',
  'restarting -> cancelled',
  'restarting -> failed',
].map((edge) => `${MACHINE}: ${edge}`);

/** Counts edges of the life of a job in a process. */
export function watch({ JobRunner }: Plain): Plain {
  return {
    JobRunner: class extends JobRunner {
      constructor(options: ConstructorParameters<typeof JobRunner>[0]) {
        super(options);
        let before = 'starting';
        this.onEvent((event) => {
          if (event.kind === 'failure' && before === 'restarting' && event.restartInMs !== null) {
            countEdge(MACHINE, 'restarting -> restarting');
          }
          if (event.kind !== 'status' || event.status === before) return;
          countEdge(MACHINE, `${before} -> ${event.status}`);
          before = event.status;
        });
      }
    },
  };
}
