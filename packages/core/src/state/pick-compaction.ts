// Size-tiered compaction. Runs stand newest first; the level of a run is the power of 4 of its
// size; its effective level is the highest level among it and all newer runs.
//
// C1. At most 3 runs stay per effective level, so n bytes of state are in at most
//     3 * (2 + log4(n / 64 KB)) runs: 27 for 1 GB.
// C2. A merge lifts what it merges by a level unless entries died in it, so a byte is rewritten at
//     most 1 + log4(n / 64 KB) times plus once per 3 runs whose changes overlap it completely.
// C3. Only neighbours are merged, beginning with the newest: the order of runs stays that of time.

/** Runs below this are of level 0. */
const SMALLEST_LEVEL_BYTES = 64 << 10;
const RUNS_PER_LEVEL = 4;
/** Inputs of one merge are in memory together. */
const MAX_MERGE_BYTES = 512 << 20;

/**
 * Pure: which runs to merge now.
 *
 * @param runBytes sizes of the live runs, newest first
 * @returns how many of the newest runs to merge (2 or more), or 0
 */
export function pickCompaction(runBytes: readonly number[], maxBytes = MAX_MERGE_BYTES): number {
  let level = 0;
  let atLevel = 0;
  let bytes = 0;
  let pick = 0;
  for (const [i, size] of runBytes.entries()) {
    bytes += size;
    if (bytes > maxBytes) break;
    const own = levelOf(size);
    if (own > level) {
      level = own;
      atLevel = 0;
    }
    atLevel++;
    if (atLevel >= RUNS_PER_LEVEL) pick = i + 1;
  }
  return pick;
}

function levelOf(bytes: number): number {
  return Math.max(0, Math.floor(Math.log2(bytes / SMALLEST_LEVEL_BYTES) / 2) + 1);
}
