import type { FrozenState } from './keyed-state-store.ts';
import { RecordStream } from './record-stream.ts';
import type { EncodedRun } from './run-store.ts';
import type { RunReference } from './snapshot.ts';
import type { StoredEntry } from './stored-entry.ts';

// The changes between two freezes.
//
//   open --freeze--> frozen --persist--> encoding --all encoded--> encoded --run durable--> sealed
//                      |
//                      +--discard, persist not begun--> merged (into its successor)
//
// S1. A changed entry belongs to at most one segment that has not encoded it yet: the one whose
//     epochs [low, high] hold the entry's epoch.
// S2. There it is encoded before anybody sees or changes its value (copy on access).
// S3. Of two records of one address that with the higher sequence is the newer, in whatever order
//     they were encoded and whatever segments were merged.
// S4. Segments seal strictly in the order of their epochs; a run is referred to only when durable.
// S5. A segment whose persist has begun is finished, even if its checkpoint was aborted: the next
//     checkpoint refers to its run. If writing fails it stays, and the next persist tries again.
// S6. An epoch is sealed when its segment is: what changed in it, or ended, can be read from the
//     live runs. Until then it stays in memory, in whatever segment it has come to be.

/** The changes between two freezes, and how far they have got on their way into a run. */
export class Segment implements FrozenState {
  state: 'open' | 'frozen' | 'encoding' | 'encoded' | 'sealed' | 'merged' = 'open';
  low: number;
  high: number;
  /** Pairs (column, slot); the last list is the one that grows while the segment is open. */
  slotLists: number[][] = [[]];
  entryLists: StoredEntry<unknown>[][] = [[]];
  /** Slots that may be released once this segment is sealed. */
  retired: number[] = [];
  /** What sealing this segment lets go: heap bytes of its values, estimated. */
  bytes = 0;
  readonly stream = new RecordStream();
  run: EncodedRun | null = null;
  /** Set when sealed: the live runs at that moment, newest first. */
  runsWhenSealed: readonly RunReference[] | null = null;
  /** The persist under way; null if none is. */
  driving: Promise<void> | null = null;

  constructor(epoch: number) {
    this.low = epoch;
    this.high = epoch;
  }

  get epoch(): number {
    return this.high;
  }

  /** Takes over an older segment whose persist has not begun. Cost: O(lists, retired). */
  absorb(older: Segment): void {
    this.low = older.low;
    this.slotLists = [...older.slotLists, ...this.slotLists];
    this.entryLists = [...older.entryLists, ...this.entryLists];
    this.stream.absorb(older.stream);
    for (const slot of older.retired) this.retired.push(slot);
    this.bytes += older.bytes;
    older.state = 'merged';
    older.slotLists = [];
    older.retired = [];
    older.entryLists = [];
  }
}
