import { MAX_WATERMARK, MIN_WATERMARK } from '../../element/time.ts';

/** What a source last said about its event time. */
export interface SourceProgress {
  /** -Infinity: nothing yet; Infinity: it has ended. */
  readonly watermarkMs: number;
  readonly idle: boolean;
}

/**
 * Which sources of one alignment group must rest until the others have caught up: those whose
 * watermark is more than `maxDriftMs` beyond the smallest of the group.
 *
 * Idle sources, sources without a watermark and sources that have ended neither count nor rest: a
 * dead partition must not stop the others, and a start must not wait for the first record of all.
 *
 * Pure. Cost: O(sources).
 */
export function pausedSources<Id>(
  sources: ReadonlyMap<Id, SourceProgress>,
  maxDriftMs: number,
): ReadonlySet<Id> {
  let slowestMs = MAX_WATERMARK;
  for (const source of sources.values()) {
    if (counts(source) && source.watermarkMs < slowestMs) slowestMs = source.watermarkMs;
  }
  const paused = new Set<Id>();
  for (const [id, source] of sources) {
    if (counts(source) && source.watermarkMs > slowestMs + maxDriftMs) paused.add(id);
  }
  return paused;
}

function counts({ watermarkMs, idle }: SourceProgress): boolean {
  return !idle && watermarkMs !== MIN_WATERMARK && watermarkMs !== MAX_WATERMARK;
}
