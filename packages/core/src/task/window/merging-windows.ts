import type { Window } from '../../function/window.ts';

// Sessions of one key are kept apart: no two of them touch.
//
//   live     [---A---)      [--B--)             [-C-)
//   added         [------------)
//   merged   [------------------)               [-C-)      absorbed: A, B
//
// S1. Windows that touch (end of one = start of the other) are one session.
// S2. One pass is enough: what the merged window touches, one of its parts touched already.

/** Where a new window ends up. */
export interface Merge {
  /** The session that the record belongs to. */
  readonly window: Window;
  /** Indexes of the live sessions that become part of it, ascending by start. */
  readonly absorbed: readonly number[];
}

/**
 * Decides which sessions a new window joins. Pure, O(live log live).
 *
 * @param live sessions of one key, none touching another, in any order
 */
export function planMerge(live: readonly Window[], added: Window): Merge {
  let { startMs, endMs } = added;
  const absorbed: number[] = [];
  for (let i = 0; i < live.length; i++) {
    const window = live[i]!;
    if (window.startMs > added.endMs || window.endMs < added.startMs) continue;
    absorbed.push(i);
    startMs = Math.min(startMs, window.startMs);
    endMs = Math.max(endMs, window.endMs);
  }
  absorbed.sort((a, b) => live[a]!.startMs - live[b]!.startMs);
  return { window: { startMs, endMs }, absorbed };
}
