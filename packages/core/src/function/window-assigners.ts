import { evictors } from './evictors.ts';
import { triggers } from './triggers.ts';
import { checkCount, checkDuration, invalidWindow } from './window-arguments.ts';
import type { Evictor, TimeDomain, Trigger, WindowAssigner } from './window.ts';

/** Options of windows that lie on a grid. */
export interface AlignedWindowOptions {
  /**
   * Shifts the grid, which begins at 1970-01-01 UTC; smaller than the step of the grid, may be
   * negative: days in China are `tumbling(days(1), { offsetMs: hours(-8) })`. Default 0.
   */
  readonly offsetMs?: number;
  /** `event` (default): by the records' timestamps; `processing`: by the clock. */
  readonly time?: TimeDomain;
}

/** Options of session windows. */
export interface SessionWindowOptions {
  /** `event` (default): by the records' timestamps; `processing`: by the clock. */
  readonly time?: TimeDomain;
}

/**
 * Every `slide` records of a key, the last `size` of them; `slide` null = groups of `size`.
 * Not an assigner of its own: `expandWindow` turns it into one with a trigger and an evictor.
 */
export interface CountWindow {
  readonly kind: 'count';
  readonly size: number;
  readonly slide: number | null;
}

/** What `.window()` takes. */
export type WindowDefinition<T = unknown> = WindowAssigner<T> | CountWindow;

/** A window definition in the three parts that the runtime knows. */
export interface ExpandedWindow<T> {
  readonly assigner: WindowAssigner<T>;
  /** null: the assigner's own. */
  readonly trigger: Trigger<T> | null;
  readonly evictor: Evictor<T> | null;
}

/**
 * Windows of one size side by side: each record is in exactly one, `[start, start + sizeMs)`.
 *
 * @param sizeMs 1 or more, an integer
 * @throws InvalidWindowError
 */
export function tumbling(sizeMs: number, options: AlignedWindowOptions = {}): WindowAssigner {
  const { offsetMs = 0, time = 'event' } = options;
  const window = `tumbling(${sizeMs})`;
  checkDuration(window, 'sizeMs', sizeMs);
  checkOffset(window, offsetMs, sizeMs, 'sizeMs');
  return { kind: 'tumbling', sizeMs, offsetMs, time };
}

/**
 * Windows of one size, one beginning every `slideMs`: a record is in about `sizeMs / slideMs` of
 * them. With `slideMs > sizeMs` there are holes; a record in a hole is in no window.
 *
 * Cost: an `aggregate` with `merge` costs one addition per record whatever the ratio (event time,
 * default trigger, no allowed lateness); everything else one addition per record and window.
 *
 * @throws InvalidWindowError
 */
export function sliding(
  sizeMs: number,
  slideMs: number,
  options: AlignedWindowOptions = {},
): WindowAssigner {
  const { offsetMs = 0, time = 'event' } = options;
  const window = `sliding(${sizeMs}, ${slideMs})`;
  checkDuration(window, 'sizeMs', sizeMs);
  checkDuration(window, 'slideMs', slideMs);
  checkOffset(window, offsetMs, slideMs, 'slideMs');
  return { kind: 'sliding', sizeMs, slideMs, offsetMs, time };
}

/**
 * Windows of activity: records of a key that are at most `gapMs` apart are in one window, which
 * ends `gapMs` after the last of them.
 *
 * @throws InvalidWindowError
 */
export function session(gapMs: number, options: SessionWindowOptions = {}): WindowAssigner {
  checkDuration(`session(${gapMs})`, 'gapMs', gapMs);
  return { kind: 'session', gapMs, time: options.time ?? 'event' };
}

/**
 * Sessions whose gap depends on the record. A short gap does not shorten a session that other
 * records have made longer.
 *
 * @param gapMsOf pure; a gap that is not above zero fails the record with InvalidSessionGapError
 */
export function dynamicSession<T>(
  gapMsOf: (value: T) => number,
  options: SessionWindowOptions = {},
): WindowAssigner<T> {
  return { kind: 'dynamicSession', gapMs: gapMsOf, time: options.time ?? 'event' };
}

/**
 * One window per key that never ends. Its results carry the greatest timestamp (Infinity).
 *
 * @param options `fire: 'endOfStream'` fires once at the end of a bounded input; the default
 * `never` needs a trigger, and a job without one is refused (Flink drops everything in silence)
 */
export function globalWindow(
  options: { readonly fire?: 'never' | 'endOfStream' } = {},
): WindowAssigner {
  return { kind: 'global', fire: options.fire ?? 'never' };
}

/**
 * Windows by number of records per key. Without `slide`: each `size` records once, then they are
 * forgotten. With `slide`: after every `slide` records, the last `size`. A group that is not full
 * when the input ends is never emitted.
 *
 * @throws InvalidWindowError
 */
export function countWindow(size: number, slide?: number): CountWindow {
  checkCount(`countWindow(${size})`, 'size', size);
  if (slide !== undefined) checkCount(`countWindow(${size}, ${slide})`, 'slide', slide);
  return { kind: 'count', size, slide: slide ?? null };
}

/** Takes a definition apart; a count window becomes a global one with trigger and evictor. */
export function expandWindow<T>(definition: WindowDefinition<T>): ExpandedWindow<T> {
  if (definition.kind !== 'count') return { assigner: definition, trigger: null, evictor: null };
  const { size, slide } = definition;
  const assigner = globalWindow() as WindowAssigner<T>;
  return slide === null
    ? { assigner, trigger: triggers.purging(triggers.count(size)), evictor: null }
    : { assigner, trigger: triggers.count(slide), evictor: evictors.count(size) };
}

/** Whether windows of this kind grow together when records come between them. */
export function isMerging(assigner: WindowAssigner): boolean {
  return assigner.kind === 'session' || assigner.kind === 'dynamicSession';
}

/** @returns the trigger of windows that were given none; null for a global window without one */
export function defaultTrigger(assigner: WindowAssigner): Trigger | null {
  if (assigner.kind === 'global') {
    return assigner.fire === 'endOfStream' ? triggers.endOfStream() : null;
  }
  return assigner.time === 'event' ? triggers.eventTime() : triggers.processingTime();
}

/** What `checkWindow` looks at. */
export interface WindowParts {
  readonly assigner: WindowAssigner;
  readonly trigger: Trigger | null;
  readonly allowedLatenessMs: number;
  /** Whether two partial contents can become one: false for an `aggregate` without `merge`. */
  readonly contentsMerge: boolean;
}

/**
 * Refuses, when a job is built, what would be silent or fail late: a global window that nothing
 * fires, a session with a trigger, trigger state or aggregate that cannot be merged.
 *
 * @throws InvalidWindowError
 */
export function checkWindow(parts: WindowParts): void {
  const { assigner, trigger, allowedLatenessMs } = parts;
  if (!(allowedLatenessMs >= 0)) {
    throw invalidWindow(
      assigner.kind,
      `allowed lateness must be 0 or more, but is ${allowedLatenessMs}`,
    );
  }
  const effective = trigger ?? defaultTrigger(assigner);
  if (effective === null) {
    throw invalidWindow(
      'global window',
      'without a trigger it never fires',
      'Give it a trigger, or globalWindow({ fire: "endOfStream" }) for bounded input.',
    );
  }
  if (!isMerging(assigner)) return;
  if (effective.onMerge === undefined) {
    throw invalidWindow(
      assigner.kind,
      `trigger "${effective.name}" cannot merge, as sessions need`,
    );
  }
  for (const [name, descriptor] of Object.entries(effective.state ?? {})) {
    if (descriptor.kind !== 'reducing') {
      throw invalidWindow(
        assigner.kind,
        `state "${name}" of trigger "${effective.name}" cannot merge`,
      );
    }
  }
  if (!parts.contentsMerge) {
    throw invalidWindow(
      assigner.kind,
      'session windows need an aggregate with merge',
      'Add merge(a, b) to the aggregate, or collect the records instead.',
    );
  }
}

function checkOffset(window: string, offsetMs: number, stepMs: number, stepName: string): void {
  if (!Number.isSafeInteger(offsetMs) || Math.abs(offsetMs) >= stepMs) {
    throw invalidWindow(
      window,
      `offsetMs must be a whole number between -${stepName} and ${stepName}`,
    );
  }
}
