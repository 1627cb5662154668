import { hasTimestamp } from '../element/time.ts';
import { checkCount, checkDuration } from './window-arguments.ts';
import type { Evictor, WindowElement } from './window.ts';

/** When an evictor works. */
export interface EvictorOptions {
  /** Default false: before the window's function, which then sees only what is kept. */
  readonly after?: boolean;
}

/**
 * The built-in evictors. What an evictor removes is gone for good, so a later firing of the same
 * window does not see it. A window with an evictor keeps all its records (no pre-aggregation).
 */
export const evictors = {
  /** Keeps the last `count` records in the order of arrival. */
  count<T>(count: number, options: EvictorOptions = {}): Evictor<T> {
    checkCount('evictors.count', 'count', count);
    return evictor(`count(${count})`, options, (elements: readonly WindowElement<T>[]) =>
      elements.length <= count ? elements : elements.slice(elements.length - count),
    );
  },

  /**
   * Keeps records younger than `ms` before the youngest one: those with a timestamp above
   * max - ms. If the first record has no timestamp nothing is removed.
   */
  time<T>(ms: number, options: EvictorOptions = {}): Evictor<T> {
    checkDuration('evictors.time', 'ms', ms);
    return evictor(`time(${ms})`, options, (elements: readonly WindowElement<T>[]) =>
      youngerThan(elements, ms),
    );
  },

  /**
   * Removes records whose distance to the last one is `threshold` or more.
   *
   * @param distance from an older record to a newer one
   */
  delta<T>(
    threshold: number,
    distance: (older: T, newer: T) => number,
    options: EvictorOptions = {},
  ): Evictor<T> {
    return evictor(`delta(${threshold})`, options, (elements: readonly WindowElement<T>[]) => {
      const last = elements[elements.length - 1];
      if (last === undefined) return elements;
      return elements.filter((element) => distance(element.value, last.value) < threshold);
    });
  },
};

function evictor<T>(
  name: string,
  options: EvictorOptions,
  keep: (elements: readonly WindowElement<T>[]) => readonly WindowElement<T>[],
): Evictor<T> {
  return options.after === true
    ? { name: `${name} after`, evictAfter: keep }
    : { name, evictBefore: keep };
}

function youngerThan<T>(
  elements: readonly WindowElement<T>[],
  ms: number,
): readonly WindowElement<T>[] {
  const first = elements[0];
  if (first === undefined || !hasTimestamp(first.timestampMs)) return elements;
  let youngest = Number.NEGATIVE_INFINITY;
  for (const { timestampMs } of elements) if (timestampMs > youngest) youngest = timestampMs;
  const cutoff = youngest - ms;
  return elements.filter(({ timestampMs }) => !(timestampMs <= cutoff));
}
