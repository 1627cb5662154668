import { StreamError } from '../../base/errors.ts';
import { MAX_WATERMARK, MIN_WATERMARK } from '../../element/time.ts';
import type { Key } from '../../element/key.ts';
import type { SubKey } from '../../state/entry-table.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { OperatorContext } from '../operator/operator.ts';
import { namespaceOf, timeOf, TimerQueue } from './timer-queue.ts';
import type { FireTimer, TimerService } from './timer-service.ts';

/** A timer was registered, or asked to be deleted, at a time that is not a number. */
export class InvalidTimerError extends StreamError<{ timeMs: unknown }> {
  static override readonly code = 'INVALID_TIMER';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/** At the end of input, timers went on registering timers. */
export class EndlessTimersError extends StreamError<{ key: Key; timeMs: number; live: number }> {
  static override readonly code = 'ENDLESS_TIMERS';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/**
 * At the end of input (watermark Infinity) every timer is due, also one that a timer registers.
 * More than `BASE + PER_TIMER * timers there were` new ones are taken for an endless loop; at some
 * hundred nanoseconds a timer that is noticed within seconds.
 */
const ENDLESS_BASE = 1_000_000;
const ENDLESS_PER_TIMER = 100;

/**
 * Opens the timers of a keyed operator, with those of the restored snapshot.
 *
 * @param store not yet loaded with records; gets the tables `<tablePrefix>/event` and
 *   `<tablePrefix>/processing`
 * @param tablePrefix unique within the operator
 * @param context asked for a wake-up at the time of the earliest processing-time timer
 *
 * Cost: O(restored timers).
 */
export function openTimerService(
  store: KeyedStateStore,
  tablePrefix: string,
  context: Pick<OperatorContext, 'requestProcessingTime'>,
): TimerService {
  return new KeyedTimerService(store, tablePrefix, context);
}

class KeyedTimerService implements TimerService {
  watermarkMs = MIN_WATERMARK;
  readonly #store: KeyedStateStore;
  readonly #context: Pick<OperatorContext, 'requestProcessingTime'>;
  readonly #eventTime: TimerQueue;
  readonly #processingTime: TimerQueue;
  // The earliest wake-up asked for and not yet had.
  #requestedMs = Number.POSITIVE_INFINITY;
  // Only at the end of input: how many more event-time timers may be registered.
  #registrationsLeft = Number.POSITIVE_INFINITY;

  constructor(
    store: KeyedStateStore,
    tablePrefix: string,
    context: Pick<OperatorContext, 'requestProcessingTime'>,
  ) {
    this.#store = store;
    this.#context = context;
    const table = (domain: string): TimerQueue =>
      new TimerQueue(
        store.table<null>({ name: `${tablePrefix}/${domain}`, kind: 'timer', order: 'sub' }),
      );
    this.#eventTime = table('event');
    this.#processingTime = table('processing');
    this.#requestWakeUp();
  }

  registerEventTime(timeMs: number, namespace?: SubKey): void {
    const time = checkedTime(timeMs);
    const key = this.#store.currentKey();
    const added = this.#eventTime.register(time, key, this.#store.currentKeyGroup(), namespace);
    if (added && --this.#registrationsLeft < 0) throw endless(key, time, this.#eventTime.size);
  }

  registerProcessingTime(timeMs: number, namespace?: SubKey): void {
    const time = checkedTime(timeMs);
    const key = this.#store.currentKey();
    this.#processingTime.register(time, key, this.#store.currentKeyGroup(), namespace);
    if (time < this.#requestedMs) {
      this.#requestedMs = time;
      this.#context.requestProcessingTime(time);
    }
  }

  deleteEventTime(timeMs: number, namespace?: SubKey): void {
    this.#eventTime.delete(checkedTime(timeMs), this.#store.currentKey(), namespace);
  }

  deleteProcessingTime(timeMs: number, namespace?: SubKey): void {
    this.#processingTime.delete(checkedTime(timeMs), this.#store.currentKey(), namespace);
  }

  advanceEventTime(watermarkMs: number, fire: FireTimer, shouldYield: () => boolean): boolean {
    if (watermarkMs === MAX_WATERMARK && this.watermarkMs !== MAX_WATERMARK)
      this.#registrationsLeft = ENDLESS_BASE + ENDLESS_PER_TIMER * this.#eventTime.size;
    this.watermarkMs = watermarkMs;
    return this.#fireDue(this.#eventTime, watermarkMs, fire, shouldYield);
  }

  advanceProcessingTime(nowMs: number, fire: FireTimer, shouldYield: () => boolean): boolean {
    const done = this.#fireDue(this.#processingTime, nowMs, fire, shouldYield);
    if (done) {
      this.#requestedMs = Number.POSITIVE_INFINITY;
      this.#requestWakeUp();
    }
    return done;
  }

  counts(): { readonly eventTime: number; readonly processingTime: number } {
    return { eventTime: this.#eventTime.size, processingTime: this.#processingTime.size };
  }

  // Asks `shouldYield` only after a timer has fired, so that every call gets something done.
  #fireDue(
    queue: TimerQueue,
    limitMs: number,
    fire: FireTimer,
    shouldYield: () => boolean,
  ): boolean {
    for (;;) {
      const timer = queue.pollDue(limitMs); // M2: it is gone before its callback runs
      if (timer === null) return true;
      this.#store.setCurrentKey(timer.key);
      fire(timeOf(timer), timer.key, namespaceOf(timer));
      if (shouldYield() && queue.earliestMs() <= limitMs && queue.size > 0) return false;
    }
  }

  #requestWakeUp(): void {
    if (this.#processingTime.size === 0) return;
    this.#requestedMs = this.#processingTime.earliestMs();
    this.#context.requestProcessingTime(this.#requestedMs);
  }
}

// -0 becomes 0, so that both are one timer.
function checkedTime(timeMs: number): number {
  if (typeof timeMs === 'number' && !Number.isNaN(timeMs)) return timeMs + 0;
  throw new InvalidTimerError(
    `the time of a timer must be a number of milliseconds, but was ${String(timeMs)}`,
    { timeMs },
    { hint: 'A record without timestamp has the timestamp NaN: test it with hasTimestamp.' },
  );
}

function endless(key: Key, timeMs: number, live: number): EndlessTimersError {
  return new EndlessTimersError(
    `timers go on registering timers after the end of input, the last one of key ${String(key)}`,
    { key, timeMs, live },
    { hint: 'Do not register a timer from a timer when context.watermarkMs is Infinity.' },
  );
}
