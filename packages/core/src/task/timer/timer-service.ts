import type { Key } from '../../element/key.ts';
import type { SubKey } from '../../state/entry-table.ts';

/** Called for each timer that is due; the timer's key is the store's current key then. */
export type FireTimer = (timeMs: number, key: Key, namespace: SubKey) => void;

/**
 * Event-time and processing-time timers of one keyed operator, one per (domain, time, key,
 * namespace); kept in the operator's keyed state, so they are in every snapshot.
 *
 * M1. Due timers fire in the order of their time; at equal times the order is free.
 * M2. A timer leaves before its callback runs: the callback may register it again, and if that is
 *     due it fires in the same advance.
 * M3. A timer registered at or behind the watermark waits for the next advance.
 */
export interface TimerService {
  /** For the store's current key. A second registration of the same timer changes nothing. */
  registerEventTime(timeMs: number, namespace?: SubKey): void;
  registerProcessingTime(timeMs: number, namespace?: SubKey): void;
  deleteEventTime(timeMs: number, namespace?: SubKey): void;
  deleteProcessingTime(timeMs: number, namespace?: SubKey): void;
  /** -Infinity before the first advance; not restored. */
  readonly watermarkMs: number;
  /**
   * Fires event-time timers with time <= `watermarkMs`, one by one.
   *
   * @returns false if `shouldYield` said so between two timers; call again with the same watermark
   */
  advanceEventTime(watermarkMs: number, fire: FireTimer, shouldYield: () => boolean): boolean;
  /** The same for processing time. */
  advanceProcessingTime(nowMs: number, fire: FireTimer, shouldYield: () => boolean): boolean;
  /** Live timers, for tests and metrics. */
  counts(): { readonly eventTime: number; readonly processingTime: number };
}
