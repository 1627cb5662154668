import type * as plainModule from '../../../packages/core/src/checkpoint/slot-log.ts';
import { countEdge } from './edge-counter.ts';

type Plain = Pick<typeof plainModule, 'judgeSlot' | 'readLog'>;

const MACHINE = 'slot log';

/** What can come of a try to win a slot, and what can stand in a log. */
export const EDGES: readonly string[] = [
  'claim: created -> won',
  'claim: exists -> lost',
  'claim: exists, my own -> won',
  'claim: created, a higher one is there -> lost',
  'checkpoint: created -> won',
  'checkpoint: exists -> lost',
  'checkpoint: exists, my own -> won',
  'checkpoint: created, a higher one is there -> lost',
  'read: a checkpoint after its own claim counts',
].map((edge) => `${MACHINE}: ${edge}`);

/** Counts edges of the log of slots. */
export function watch(plain: Plain): Plain {
  return {
    judgeSlot(mine, sequence, created, found, highestSequence) {
      const outcome = plain.judgeSlot(mine, sequence, created, found, highestSequence);
      const isMine = created === 'exists' && outcome === 'won' ? ', my own' : '';
      const isHigher = created === 'created' && outcome === 'lost' ? ', a higher one is there' : '';
      if (outcome !== 'unknown') {
        countEdge(MACHINE, `${mine.kind}: ${created}${isMine}${isHigher} -> ${outcome}`);
      }
      return outcome;
    },
    readLog(entries) {
      const log = plain.readLog(entries);
      const counting = log.checkpoints.length;
      if (counting > 0) countEdge(MACHINE, 'read: a checkpoint after its own claim counts');
      return log;
    },
  };
}
