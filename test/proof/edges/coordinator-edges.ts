import type {
  CoordinatorCommand,
  CoordinatorEvent,
  CoordinatorState,
} from '../../../packages/core/src/coordinator/coordinator-state.ts';
import { countEdge } from './edge-counter.ts';

interface Step {
  readonly state: CoordinatorState;
  readonly commands: readonly CoordinatorCommand[];
}

interface Plain {
  coordinatorStep(state: CoordinatorState, event: CoordinatorEvent, nowMs: number): Step;
}

const MACHINE = 'checkpoint';

/** What can happen to a checkpoint; see the drawing in checkpoint-coordinator.ts. */
export const EDGES: readonly string[] = [
  'request -> triggered',
  'triggered -> acknowledged',
  'triggered -> storing',
  'acknowledged -> storing',
  'storing -> complete',
  'storing -> complete, the attempt has ended',
  'storing -> aborted: storage-failed',
  'triggered -> aborted: declined',
  'triggered -> aborted: timeout',
  'triggered -> aborted: subsumed',
  'triggered -> aborted: job-failed',
  'triggered -> aborted: job-stopped',
  'acknowledged -> aborted: job-failed',
  'acknowledged -> aborted: job-stopped',
  'request -> rejected: job-failed',
  'request -> rejected: job-stopped',
  'savepoint: storing -> complete',
  'savepoint: triggered -> aborted',
  'late acknowledge changes nothing',
  'late decline changes nothing',
  'too many failures -> the job fails',
].map((edge) => `${MACHINE}: ${edge}`);

/** Counts edges of the checkpoint coordinator. */
export function watch(plain: Plain): Plain {
  return {
    coordinatorStep(state, event, nowMs) {
      const step = plain.coordinatorStep(state, event, nowMs);
      for (const edge of edgesOf(state, event.kind, step)) countEdge(MACHINE, edge);
      return step;
    },
  };
}

function edgesOf(before: CoordinatorState, event: string, { state, commands }: Step): string[] {
  const edges: string[] = [];
  const phaseOf = (of: CoordinatorState, id: number): string | undefined =>
    of.pending.find(({ checkpointId }) => checkpointId === id)?.phase;
  for (const command of commands) {
    switch (command.kind) {
      case 'trigger':
        edges.push('request -> triggered');
        break;
      case 'complete': {
        const isTold = commands.some(({ kind }) => kind === 'notifyComplete');
        edges.push(`storing -> complete${isTold ? '' : ', the attempt has ended'}`);
        if (command.request.snapshotKind === 'savepoint')
          edges.push('savepoint: storing -> complete');
        break;
      }
      case 'abort': {
        const phase = phaseOf(before, command.checkpointId) ?? 'triggered';
        edges.push(`${phase} -> aborted: ${command.reason}`);
        if (command.request.snapshotKind === 'savepoint')
          edges.push('savepoint: triggered -> aborted');
        break;
      }
      case 'reject':
        edges.push(`request -> rejected: ${command.reason}`);
        break;
      case 'failJob':
        edges.push('too many failures -> the job fails');
        break;
      default:
    }
  }
  for (const { checkpointId, phase } of state.pending) {
    const from = phaseOf(before, checkpointId);
    if (from !== undefined && from !== phase) edges.push(`${from} -> ${phase}`);
  }
  if ((event === 'acknowledge' || event === 'decline') && state === before) {
    edges.push(`late ${event} changes nothing`);
  }
  return edges;
}
