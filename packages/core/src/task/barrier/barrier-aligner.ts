import { assert } from '../../base/assert.ts';
import type { CheckpointBarrier, CheckpointId, CheckpointMode } from '../../element/element.ts';

/**
 * What the task must do now, in this order. `checkpoint`: take part in it, this very turn.
 * `abort`: decline it, and send its cancellation on in place of its barrier.
 */
export type AlignerDecision =
  | {
      readonly kind: 'checkpoint';
      readonly barrier: CheckpointBarrier;
      /** From the arrival of the first barrier to that of the last. */
      readonly alignmentMs: number;
    }
  | {
      readonly kind: 'abort';
      readonly checkpointId: CheckpointId;
      /** `subsumed`: a newer barrier came; `cancelled`: somebody upstream or the coordinator. */
      readonly reason: 'subsumed' | 'cancelled';
    };

/** More pending at-least-once checkpoints than this, and the oldest is forgotten (as in Flink). */
const TRACKED_COUNT_MAX = 50;

const NOTHING: readonly AlignerDecision[] = [];

interface Pending {
  readonly barrier: CheckpointBarrier;
  readonly startedAtMs: number;
  /** By channel: live and without this barrier. */
  readonly isMissing: boolean[];
  missingCount: number;
}

//             barrier of a                   last missing channel
//             newer checkpoint               delivers it or ends
//   nothing ------------------> aligning ---------------------------> checkpoint
//      ^                          |    |
//      |    cancelled, or (exactly-once) a newer barrier: abort
//      +--------------------------+    +--> aligning the newer one

/**
 * Decides when a task takes part in a checkpoint. It sees the control elements of all channels of
 * all inputs of the task, two logical inputs included, and holds no records: the gate takes
 * nothing from a channel while it `isBlocked`.
 *
 * A1. Exactly-once: between its barrier and the checkpoint nothing is taken from a channel, so the
 *     snapshot holds exactly the effects of what was sent before the barriers.
 * A2. At-least-once: nothing is ever blocked; several checkpoints are counted at the same time.
 * A3. Ids of decided checkpoints grow. A barrier or cancellation of an id that is decided, or that
 *     was passed over, changes nothing.
 * A4. An ended channel counts as aligned: for the checkpoints that wait and for all later ones.
 *     While one aligns it is blocked like the others (behind its end still come barriers).
 * A5. Exactly-once aligns one checkpoint at a time; a newer barrier aborts the older one, because
 *     the channel that delivered it has skipped the older and would never deliver it.
 *
 * Source: Carbone et al., Lightweight Asynchronous Snapshots for Distributed Dataflows (2015);
 * Flink's SingleCheckpointBarrierHandler and CheckpointBarrierTracker.
 */
export class BarrierAligner {
  readonly #mode: CheckpointMode;
  readonly #isLive: boolean[];
  /** In ascending order of id. */
  readonly #pending: Pending[] = [];
  /** A3: the greatest id that was taken part in or aborted. */
  #decidedId = 0;

  /** @param channelCount over all inputs of the task, 1 or more */
  constructor(channelCount: number, mode: CheckpointMode) {
    assert(channelCount > 0, 'an aligner has a channel');
    this.#mode = mode;
    this.#isLive = new Array(channelCount).fill(true);
  }

  /** Whether the gate must leave the channel alone (A1). Look again after every decision. O(1). */
  isBlocked(channelIndex: number): boolean {
    if (this.#mode === 'at-least-once') return false;
    const aligning = this.#pending[0];
    return aligning !== undefined && !aligning.isMissing[channelIndex];
  }

  /** Whether some checkpoint waits for barriers. */
  get isAligning(): boolean {
    return this.#pending.length > 0;
  }

  /**
   * Takes in one barrier. Cost: O(channels) for the first of a checkpoint, else O(pending).
   *
   * @param nowMs any clock that does not go back; for `alignmentMs` only
   * @throws AssertionError on a second barrier with one id from one live channel
   */
  onBarrier(
    channelIndex: number,
    barrier: CheckpointBarrier,
    nowMs: number,
  ): readonly AlignerDecision[] {
    const id = barrier.checkpointId;
    const known = this.#pending.find((pending) => pending.barrier.checkpointId === id);
    if (known !== undefined) {
      if (!this.#isLive[channelIndex]) return NOTHING;
      assert(known.isMissing[channelIndex], 'a channel delivers each barrier once');
      return this.#deliver(known, channelIndex, nowMs);
    }
    const newest = this.#pending.at(-1)?.barrier.checkpointId ?? 0;
    if (id <= this.#decidedId || id < newest) return NOTHING; // A3
    const aborted = this.#mode === 'exactly-once' ? this.#abortAligning('subsumed') : NOTHING; // A5
    const isMissing = this.#isLive.slice();
    const missingCount = isMissing.reduce((count, missing) => count + (missing ? 1 : 0), 0);
    const pending = { barrier, startedAtMs: nowMs, isMissing, missingCount };
    this.#pending.push(pending);
    if (this.#pending.length > TRACKED_COUNT_MAX) this.#pending.shift();
    return [...aborted, ...this.#deliver(pending, channelIndex, nowMs)];
  }

  /**
   * Takes in a cancellation from a channel: the checkpoint will not be, and older ones that wait
   * will not be either, because the sender has passed them over.
   */
  onCancel(checkpointId: CheckpointId): readonly AlignerDecision[] {
    if (checkpointId <= this.#decidedId) return NOTHING;
    const older = this.#removeUpTo(checkpointId);
    this.#decidedId = checkpointId;
    const ids = older.filter((id) => id < checkpointId && this.#mode === 'at-least-once');
    return [...ids, checkpointId].map(cancelled);
  }

  /** The coordinator gave a checkpoint up: if it is aligning, its channels are released. */
  onAborted(checkpointId: CheckpointId): readonly AlignerDecision[] {
    const index = this.#pending.findIndex((p) => p.barrier.checkpointId === checkpointId);
    if (index < 0) return NOTHING;
    this.#pending.splice(index, 1);
    // An older one is still counted (at-least-once): a cancellation sent on now would overtake it,
    // and the tasks downstream would pass it over. They hear of the abortion anyway.
    if (index > 0) return NOTHING;
    this.#decidedId = checkpointId;
    return [cancelled(checkpointId)];
  }

  /** Takes in the end of a channel (A4). May complete a checkpoint. Cost: O(pending). */
  onEndOfInput(channelIndex: number, nowMs: number): readonly AlignerDecision[] {
    if (!this.#isLive[channelIndex]) return NOTHING;
    this.#isLive[channelIndex] = false;
    const decisions: AlignerDecision[] = [];
    for (const pending of this.#pending.slice()) {
      if (pending.isMissing[channelIndex]) {
        decisions.push(...this.#deliver(pending, channelIndex, nowMs));
      }
    }
    return decisions;
  }

  #deliver(pending: Pending, channelIndex: number, nowMs: number): readonly AlignerDecision[] {
    if (pending.isMissing[channelIndex]) {
      pending.isMissing[channelIndex] = false;
      pending.missingCount--;
    }
    if (pending.missingCount > 0) return NOTHING;
    // Older ones that are still counted are passed over; the coordinator subsumes them.
    this.#removeUpTo(pending.barrier.checkpointId);
    this.#decidedId = pending.barrier.checkpointId;
    const { barrier, startedAtMs } = pending;
    return [{ kind: 'checkpoint', barrier, alignmentMs: nowMs - startedAtMs }];
  }

  #abortAligning(reason: 'subsumed'): readonly AlignerDecision[] {
    const aligning = this.#pending.shift();
    if (aligning === undefined) return NOTHING;
    this.#decidedId = aligning.barrier.checkpointId;
    return [{ kind: 'abort', checkpointId: this.#decidedId, reason }];
  }

  #removeUpTo(checkpointId: CheckpointId): CheckpointId[] {
    const after = this.#pending.findIndex((p) => p.barrier.checkpointId > checkpointId);
    const removed = this.#pending.splice(0, after < 0 ? this.#pending.length : after);
    return removed.map((pending) => pending.barrier.checkpointId);
  }
}

function cancelled(checkpointId: CheckpointId): AlignerDecision {
  return { kind: 'abort', checkpointId, reason: 'cancelled' };
}
