import type { CheckpointId, SnapshotKind } from '../element/element.ts';
import type { Json } from '../state/snapshot.ts';
import { decodeCheckedJson, encodeCheckedJson } from './checked-json.ts';
import { CorruptLogError } from './checkpoint-errors.ts';
import { slotSequenceOf } from './paths.ts';

// The log of slots: who owns the job, and which checkpoints are complete.
//
//   slot      7         8           9         10          11
//         +-------+ +--------+ +--------+ +-------+ +------------+
//         | claim | | chk 41 | | chk 42 | | claim | | chk 43     |  <- next: claim or checkpoint,
//         | gen 7 | | gen 7  | | gen 7  | | gen 10| | gen 10     |     whoever creates slot 12
//         +-------+ +--------+ +--------+ +-------+ +------------+
//
// L1. A slot is created only if absent and never changed. Takeover and completion compete for the
//     same next slot, so an owner that was replaced can complete nothing any more.
// L2. The sequence of a process's first claim is its generation. A checkpoint slot carries its
//     owner's generation and counts only if the last claim before it is of that generation. An
//     owner claims again (same generation) now and then, so that what is before can be pruned.
// L3. A winner acts only after a list showed no higher slot: old slots are pruned, so a sleeper may
//     win one that was taken long ago.
// L4. Pruned is only a prefix, and the first slot left is a claim. Whatever stands before the first
//     claim, or before a gap, is a sleeper's leftover and does not count (L3).
// L5. An unknown outcome is resolved by reading: every slot carries a nonce of its writer.

/** A process has taken the job over. */
export interface ClaimSlot {
  readonly kind: 'claim';
  /** The slot's sequence, or that of the owner's first claim. */
  readonly generation: number;
  readonly jobName: string;
  readonly instanceId: string;
  /** True: checkpoints before this claim do not count any more (`--from none`). */
  readonly isFresh: boolean;
  /** No checkpoint id from here on was used before. */
  readonly nextCheckpointId: CheckpointId;
  readonly writer: string;
  readonly atMs: number;
}

/** A checkpoint is complete. */
export interface CheckpointSlot {
  readonly kind: 'checkpoint';
  readonly generation: number;
  readonly jobName: string;
  readonly instanceId: string;
  readonly checkpointId: CheckpointId;
  readonly snapshotKind: SnapshotKind;
  /** Taken to stop the job. */
  readonly isStop: boolean;
  /** Object name of the manifest, and the crc32 of its bytes. */
  readonly manifest: string;
  readonly manifestCrc32: number;
  readonly writer: string;
  readonly atMs: number;
}

/** An entry of the log. */
export type Slot = ClaimSlot | CheckpointSlot;

/** A slot and its place. */
export interface LogEntry {
  readonly sequence: number;
  readonly slot: Slot;
}

/** What the log says, as of one list. */
export interface LogState {
  /** The last slot; 0 for an empty log. */
  readonly highestSequence: number;
  /** The owner; null if there never was one. */
  readonly claim: ClaimSlot | null;
  /** Complete checkpoints that count, in order of slot. */
  readonly checkpoints: readonly { readonly sequence: number; readonly slot: CheckpointSlot }[];
  readonly nextCheckpointId: CheckpointId;
}

/** @returns the bytes of a slot */
export function encodeSlot(slot: Slot): Uint8Array {
  return encodeCheckedJson({ ...slot } as unknown as Record<string, Json>);
}

/** @throws CorruptLogError */
export function decodeSlot(bytes: Uint8Array, object: string): Slot {
  const decoded = decodeCheckedJson(bytes);
  if (decoded.kind === 'valid') return decoded.body as unknown as Slot;
  throw new CorruptLogError(
    `slot "${object}" of the checkpoint log is damaged: ${decoded.problem}`,
    { object, problem: decoded.problem },
    { hint: 'Restore from a checkpoint or savepoint by naming it, into another directory.' },
  );
}

/**
 * Which slots of a list count: the unbroken row up to the highest (L4).
 *
 * @param names any object names
 * @returns sequences in ascending order
 */
export function countingSequences(names: readonly string[]): number[] {
  const sequences = names
    .map(slotSequenceOf)
    .filter((sequence) => sequence !== null)
    .sort((a, b) => a - b);
  let first = sequences.length - 1;
  while (first > 0 && sequences[first - 1] === sequences[first]! - 1) first--;
  return sequences.slice(Math.max(0, first));
}

/** What an unbroken row of slots says. O(slots). */
export function readLog(entries: readonly LogEntry[]): LogState {
  let claim: ClaimSlot | null = null;
  let checkpoints: { sequence: number; slot: CheckpointSlot }[] = [];
  let nextCheckpointId = 1;
  for (const { sequence, slot } of entries) {
    if (slot.kind === 'claim') {
      claim = slot;
      if (slot.isFresh) checkpoints = [];
      nextCheckpointId = Math.max(nextCheckpointId, slot.nextCheckpointId);
    } else {
      nextCheckpointId = Math.max(nextCheckpointId, slot.checkpointId + 1);
      if (claim !== null && slot.generation === claim.generation) {
        checkpoints.push({ sequence, slot }); // L2, L4
      }
    }
  }
  return {
    highestSequence: entries.at(-1)?.sequence ?? 0,
    claim,
    checkpoints,
    nextCheckpointId,
  };
}

/** The complete checkpoint to go on from: the one with the greatest id. */
export function latestOf(log: LogState): CheckpointSlot | null {
  return log.checkpoints.reduce<CheckpointSlot | null>(
    (latest, { slot }) =>
      latest === null || slot.checkpointId > latest.checkpointId ? slot : latest,
    null,
  );
}

/** What a try to create a slot came to. */
export type SlotOutcome =
  | 'won'
  /** Somebody else has it, or a higher one: whoever tried is not the owner. */
  | 'lost'
  /** Not known: create again, with the same bytes. */
  | 'unknown';

/**
 * Judges an attempt to win a slot (L3, L5).
 *
 * @param created the answer; `unknown` if the call failed
 * @param found what the slot holds, if it was read
 * @param highestSequence of a list made afterwards; null if there was none yet
 */
export function judgeSlot(
  mine: Slot,
  sequence: number,
  created: 'created' | 'exists' | 'unknown',
  found: Slot | null,
  highestSequence: number | null,
): SlotOutcome {
  if (created === 'unknown') return 'unknown';
  if (created === 'exists') {
    if (found === null) return 'unknown';
    if (!isSame(mine, found)) return 'lost';
  }
  if (highestSequence === null) return 'unknown';
  return highestSequence > sequence ? 'lost' : 'won';
}

function isSame(mine: Slot, found: Slot): boolean {
  return (
    mine.writer === found.writer &&
    mine.kind === found.kind &&
    (mine.kind === 'claim' ||
      (found.kind === 'checkpoint' && mine.checkpointId === found.checkpointId))
  );
}

/**
 * Slots that the owner may delete: all before the last claim that stands before every checkpoint
 * that is kept, so that the row left begins with a claim (L4).
 *
 * @param sequences of all slots, ascending
 * @param claims of those, the owner's and earlier claims, ascending
 * @param retained sequences of the checkpoints that are kept
 * @returns ascending; deleted in this order a crash leaves no gap
 */
export function prunableSequences(
  sequences: readonly number[],
  claims: readonly number[],
  retained: readonly number[],
): number[] {
  const oldestKept = Math.min(...retained, Number.POSITIVE_INFINITY);
  const keepFrom = claims.findLast((claim) => claim < oldestKept) ?? 0;
  return sequences.filter((sequence) => sequence < keepFrom);
}
