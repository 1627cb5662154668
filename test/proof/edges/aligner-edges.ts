import type * as plainModule from '../../../packages/core/src/task/barrier/barrier-aligner.ts';
import { countEdge } from './edge-counter.ts';

type Plain = Pick<typeof plainModule, 'BarrierAligner'>;
type Decisions = ReturnType<InstanceType<Plain['BarrierAligner']>['onBarrier']>;

const MACHINE = 'aligner';

/** What can come of what an aligner takes in, by the kinds of its decisions. */
export const EDGES: readonly string[] = [
  'barrier -> waiting',
  'barrier -> checkpoint',
  'barrier -> abort the older, waiting',
  'barrier -> abort the older, checkpoint',
  'barrier of a decided checkpoint -> nothing',
  'cancellation while aligning -> abort',
  'cancellation before any barrier -> abort',
  'cancellation of a decided checkpoint -> nothing',
  'given up while aligning -> abort',
  'given up otherwise -> nothing',
  'end of a channel -> checkpoint',
  'end of a channel while aligning -> waiting',
  'end of a channel -> nothing',
].map((edge) => `${MACHINE}: ${edge}`);

/** Counts edges of the aligners. */
export function watch({ BarrierAligner }: Plain): Plain {
  return {
    BarrierAligner: class extends BarrierAligner {
      override onBarrier(...taken: Parameters<InstanceType<typeof BarrierAligner>['onBarrier']>) {
        const wasAligning = this.isAligning;
        const decisions = super.onBarrier(...taken);
        if (decisions.length === 0 && !this.isAligning && !wasAligning) {
          countEdge(MACHINE, 'barrier of a decided checkpoint -> nothing');
        } else {
          countEdge(MACHINE, `barrier -> ${shown(decisions)}`);
        }
        return decisions;
      }

      override onCancel(checkpointId: number) {
        const state = this.isAligning ? 'while aligning' : 'before any barrier';
        const decisions = super.onCancel(checkpointId);
        countEdge(
          MACHINE,
          decisions.length === 0
            ? 'cancellation of a decided checkpoint -> nothing'
            : `cancellation ${state} -> abort`,
        );
        return decisions;
      }

      override onAborted(checkpointId: number) {
        const decisions = super.onAborted(checkpointId);
        const edge = decisions.length === 0 ? 'otherwise -> nothing' : 'while aligning -> abort';
        countEdge(MACHINE, `given up ${edge}`);
        return decisions;
      }

      override onEndOfInput(channelIndex: number, nowMs: number) {
        const decisions = super.onEndOfInput(channelIndex, nowMs);
        const waits = this.isAligning ? ' while aligning -> waiting' : ' -> nothing';
        const edge = decisions.length > 0 ? ' -> checkpoint' : waits;
        countEdge(MACHINE, `end of a channel${edge}`);
        return decisions;
      }
    },
  };
}

function shown(decisions: Decisions): string {
  const kinds = decisions.map(({ kind }) => kind);
  const aborts = kinds.includes('abort') ? 'abort the older, ' : '';
  return aborts + (kinds.includes('checkpoint') ? 'checkpoint' : 'waiting');
}
