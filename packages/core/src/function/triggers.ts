import { type StateDescriptors, reducing, value } from '../state/descriptors.ts';
import type { ValueState } from '../state/descriptors.ts';
import { continuousEventTime, continuousProcessingTime } from './continuous-triggers.ts';
import { checkCount, checkDuration, invalidWindow } from './window-arguments.ts';
import type { Trigger, TriggerContext, TriggerResult, Window } from './window.ts';

/** Options of `triggers.timeout`. */
export interface TimeoutTriggerOptions {
  /** Processing time. */
  readonly timeoutMs: number;
  /** Default false: counted from the first record; true: from the latest (inactivity). */
  readonly resetOnRecord?: boolean;
  /** Default true: the inner trigger begins anew after a time-out. */
  readonly clearOnTimeout?: boolean;
}

/**
 * The built-in triggers. A trigger given to a window replaces the window's own: with `count` in a
 * tumbling window nothing fires at the window's end, and what is left then is lost. To have both,
 * use `early`.
 */
export const triggers = {
  /** Fires when the watermark passes the window's end, and for each late record. The default. */
  eventTime(): Trigger {
    return EVENT_TIME;
  },

  /** Fires when the clock passes the window's end. The default of processing-time windows. */
  processingTime(): Trigger {
    return PROCESSING_TIME;
  },

  /**
   * Fires at every `count`-th record of a window. The contents stay: wrap it in `purging` to have
   * them forgotten. Merging sessions adds their counts up but does not fire.
   */
  count(count: number): Trigger {
    return countTrigger(count);
  },

  /** As `inner`, but a window that fires forgets its contents. It goes on to exist. */
  purging<T>(inner: Trigger<T>): Trigger<T> {
    return purging(inner);
  },

  /**
   * Fires at every multiple of `intervalMs` that the watermark passes, and at the window's end.
   * One jump of the watermark over n multiples fires n times.
   */
  continuousEventTime(intervalMs: number): Trigger {
    return continuousEventTime(intervalMs);
  },

  /**
   * Fires at every multiple of `intervalMs` of the clock from the first record on, also without
   * new records. It does not fire at the end of an event-time window: see `early`.
   */
  continuousProcessingTime(intervalMs: number): Trigger {
    return continuousProcessingTime(intervalMs);
  },

  /**
   * Fires when a record is further than `threshold` from the one that fired last (at first: from
   * the first). Not for sessions.
   *
   * @param distance from an older record to a newer one
   */
  delta<T>(threshold: number, distance: (older: T, newer: T) => number): Trigger<T> {
    return deltaTrigger(threshold, distance);
  },

  /** Fires when `inner` does, or when its time is up on the clock. Not for sessions. */
  timeout<T>(inner: Trigger<T>, options: TimeoutTriggerOptions): Trigger<T> {
    return timeoutTrigger(inner, options);
  },

  /**
   * Early results: fires when `inner` does, besides at the window's end and for each late record
   * as `eventTime` does. Example: `early(continuousProcessingTime(seconds(10)))`.
   */
  early<T>(inner: Trigger<T>): Trigger<T> {
    return early(inner);
  },

  /** Never fires. */
  never(): Trigger {
    return NEVER;
  },

  /** Fires once, at the end of a bounded input. */
  endOfStream(): Trigger {
    return END_OF_STREAM;
  },
};

const EVENT_TIME: Trigger = {
  name: 'eventTime',
  onRecord(_value, _timestampMs, window, context) {
    if (window.endMs - 1 <= context.watermarkMs) return 'fire';
    context.registerEventTime(window.endMs - 1);
    return 'continue';
  },
  onEventTime: (timeMs, window) => (timeMs === window.endMs - 1 ? 'fire' : 'continue'),
  onProcessingTime: () => 'continue',
  onMerge(window, context) {
    // Not behind the watermark: the record that caused the merge fires such a window at once.
    if (window.endMs - 1 > context.watermarkMs) context.registerEventTime(window.endMs - 1);
  },
  clear: (window, context) => context.deleteEventTime(window.endMs - 1),
};

const PROCESSING_TIME: Trigger = {
  name: 'processingTime',
  onRecord(_value, _timestampMs, window, context) {
    context.registerProcessingTime(window.endMs - 1);
    return 'continue';
  },
  onEventTime: () => 'continue',
  onProcessingTime: () => 'fire',
  onMerge(window, context) {
    if (window.endMs - 1 > context.now()) context.registerProcessingTime(window.endMs - 1);
  },
  clear: (window, context) => context.deleteProcessingTime(window.endMs - 1),
};

const NEVER: Trigger = {
  name: 'never',
  onRecord: () => 'continue',
  onEventTime: () => 'continue',
  onProcessingTime: () => 'continue',
  onMerge() {},
  clear() {},
};

const END_OF_STREAM: Trigger = {
  name: 'endOfStream',
  onRecord(_value, _timestampMs, _window, context) {
    context.registerEventTime(Number.POSITIVE_INFINITY);
    return 'continue';
  },
  onEventTime: (timeMs) => (timeMs === Number.POSITIVE_INFINITY ? 'fire' : 'continue'),
  onProcessingTime: () => 'continue',
  onMerge: (_window, context) => context.registerEventTime(Number.POSITIVE_INFINITY),
  clear: (_window, context) => context.deleteEventTime(Number.POSITIVE_INFINITY),
};

function countTrigger(
  count: number,
): Trigger<unknown, { readonly count: ReturnType<typeof reducing<number>> }> {
  checkCount('triggers.count', 'count', count);
  return {
    name: `count(${count})`,
    state: { count: reducing<number>((a, b) => a + b) },
    onRecord(_value, _timestampMs, _window, context) {
      const seen = context.state.count;
      seen.add(1);
      if (seen.get()! < count) return 'continue';
      seen.clear();
      return 'fire';
    },
    onEventTime: () => 'continue',
    onProcessingTime: () => 'continue',
    onMerge() {}, // the counts were added up; it takes a record to fire
    clear: (_window, context) => context.state.count.clear(),
  };
}

function deltaTrigger<T>(threshold: number, distance: (older: T, newer: T) => number): Trigger<T> {
  const last = (context: TriggerContext): ValueState<readonly [T] | undefined> =>
    context.state.last as ValueState<readonly [T] | undefined>;
  return {
    name: `delta(${threshold})`,
    // In a tuple, so that a record that is `undefined` differs from none.
    state: { last: value<readonly [T]>() },
    onRecord(record, _timestampMs, _window, context) {
      const held = last(context).get();
      if (held === undefined) {
        last(context).set([record]);
        return 'continue';
      }
      if (!(distance(held[0] as T, record) > threshold)) return 'continue';
      last(context).set([record]);
      return 'fire';
    },
    onEventTime: () => 'continue',
    onProcessingTime: () => 'continue',
    clear: (_window, context) => last(context).clear(),
  };
}

function purging<T>(inner: Trigger<T>): Trigger<T> {
  const purge = (result: TriggerResult): TriggerResult =>
    result === 'fire' ? 'fireAndPurge' : result;
  return {
    ...inherited(inner),
    name: `purging(${inner.name})`,
    onRecord: (record, timestampMs, window, context) =>
      purge(inner.onRecord(record, timestampMs, window, context)),
    onEventTime: (timeMs, window, context) => purge(inner.onEventTime(timeMs, window, context)),
    onProcessingTime: (timeMs, window, context) =>
      purge(inner.onProcessingTime(timeMs, window, context)),
    clear: (window, context) => inner.clear(window, context),
  };
}

function timeoutTrigger<T>(inner: Trigger<T>, options: TimeoutTriggerOptions): Trigger<T> {
  const { timeoutMs, resetOnRecord = false, clearOnTimeout = true } = options;
  checkDuration('triggers.timeout', 'timeoutMs', timeoutMs);
  if (inner.state !== undefined && 'timeoutAt' in inner.state) {
    throw invalidWindow('triggers.timeout', 'a timeout inside a timeout cannot tell them apart');
  }
  const due = (context: TriggerContext): ValueState<number | undefined> =>
    context.state.timeoutAt as ValueState<number | undefined>;
  const clear = (window: Window, context: TriggerContext): void => {
    const at = due(context).get();
    if (at !== undefined) context.deleteProcessingTime(at);
    due(context).clear();
    inner.clear(window, context);
  };
  const timedOut = (result: TriggerResult, window: Window, context: TriggerContext) => {
    if (clearOnTimeout) clear(window, context);
    return result === 'purge' || result === 'fireAndPurge' ? 'fireAndPurge' : 'fire';
  };
  return {
    name: `timeout(${inner.name}, ${timeoutMs})`,
    state: { ...inner.state, timeoutAt: value<number>() },
    onRecord(record, timestampMs, window, context) {
      const result = inner.onRecord(record, timestampMs, window, context);
      if (result === 'fire' || result === 'fireAndPurge') {
        clear(window, context);
        return result;
      }
      const at = due(context).get();
      if (at !== undefined && !resetOnRecord) return result;
      if (at !== undefined) context.deleteProcessingTime(at);
      due(context).set(context.now() + timeoutMs);
      context.registerProcessingTime(context.now() + timeoutMs);
      return result;
    },
    onEventTime: (timeMs, window, context) =>
      timedOut(inner.onEventTime(timeMs, window, context), window, context),
    onProcessingTime: (timeMs, window, context) =>
      timedOut(inner.onProcessingTime(timeMs, window, context), window, context),
    clear,
  };
}

function early<T>(inner: Trigger<T>): Trigger<T> {
  const { onMerge } = inner;
  return {
    ...(inner.state === undefined ? {} : { state: inner.state }),
    name: `early(${inner.name})`,
    onRecord: (record, timestampMs, window, context) =>
      either(
        EVENT_TIME.onRecord(record, timestampMs, window, context),
        inner.onRecord(record, timestampMs, window, context),
      ),
    onEventTime: (timeMs, window, context) =>
      either(
        EVENT_TIME.onEventTime(timeMs, window, context),
        inner.onEventTime(timeMs, window, context),
      ),
    onProcessingTime: (timeMs, window, context) => inner.onProcessingTime(timeMs, window, context),
    ...(onMerge === undefined
      ? {}
      : {
          onMerge(window: Window, context: TriggerContext) {
            EVENT_TIME.onMerge?.(window, context);
            onMerge.call(inner, window, context);
          },
        }),
    clear(window, context) {
      EVENT_TIME.clear(window, context);
      inner.clear(window, context);
    },
  };
}

// What a wrapping trigger takes over unchanged; a missing onMerge must stay missing.
function inherited<T>(inner: Trigger<T>): Pick<Trigger<T>, 'state' | 'onMerge'> {
  const { onMerge } = inner;
  return {
    ...(inner.state === undefined ? {} : { state: inner.state as StateDescriptors }),
    ...(onMerge === undefined
      ? {}
      : {
          onMerge: (window: Window, context: TriggerContext) =>
            onMerge.call(inner, window, context),
        }),
  };
}

function either(a: TriggerResult, b: TriggerResult): TriggerResult {
  const fires = firesOf(a) || firesOf(b);
  const purges = purgesOf(a) || purgesOf(b);
  if (fires) return purges ? 'fireAndPurge' : 'fire';
  return purges ? 'purge' : 'continue';
}

/** Whether the window's result goes out. */
export function firesOf(result: TriggerResult): boolean {
  return result === 'fire' || result === 'fireAndPurge';
}

/** Whether the window's contents go. */
export function purgesOf(result: TriggerResult): boolean {
  return result === 'purge' || result === 'fireAndPurge';
}
