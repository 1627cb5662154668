import { toTaggedJson } from '@millrace/core/host';

/** A value and how often it is missing, or there too often. */
export interface Surplus {
  readonly value: unknown;
  readonly count: number;
}

/** How two multisets of values differ. Order plays no part. */
export interface MultisetDifference {
  /** Expected and not there (often enough), in the order of the expected ones. */
  readonly lost: readonly Surplus[];
  /** Expected, and there more often than that. */
  readonly doubled: readonly Surplus[];
  /** Never expected at all. */
  readonly foreign: readonly Surplus[];
}

/**
 * Compares by content: plain data of any kind; the order of an object's fields plays no part.
 *
 * Cost: O(values), each turned into text once.
 *
 * @throws UnserializableValueError for functions and class instances
 */
export function compareMultisets(
  expected: readonly unknown[],
  actual: readonly unknown[],
): MultisetDifference {
  const wanted = countedOf(expected);
  const found = countedOf(actual);
  const lost: Surplus[] = [];
  const doubled: Surplus[] = [];
  const foreign: Surplus[] = [];
  for (const [key, { value, count }] of wanted) {
    const there = found.get(key)?.count ?? 0;
    if (there < count) lost.push({ value, count: count - there });
    if (there > count) doubled.push({ value, count: there - count });
  }
  for (const [key, surplus] of found) if (!wanted.has(key)) foreign.push(surplus);
  return { lost, doubled, foreign };
}

/** Equal texts for values of equal content. */
export function contentKey(value: unknown): string {
  return JSON.stringify(toTaggedJson(value), (_, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(byName)) : part,
  );
}

function countedOf(values: readonly unknown[]): Map<string, { value: unknown; count: number }> {
  const counted = new Map<string, { value: unknown; count: number }>();
  for (const value of values) {
    const key = contentKey(value);
    const entry = counted.get(key);
    if (entry === undefined) counted.set(key, { value, count: 1 });
    else entry.count++;
  }
  return counted;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
