// What the states are that Millrace keeps itself: names as the operators of task/ register them.

const tables: readonly (readonly [RegExp, string])[] = [
  [/^timers\/event$/, 'event-time timers; sub key: the time at which it fires'],
  [/^timers\/processing$/, 'processing-time timers; sub key: the time at which it fires'],
  [/^reduced$/, 'the reduction of each key so far'],
  [/^(left|right)$/, 'records of one input of an interval join that may still find a partner'],
  [/^windows$/, 'open windows: accumulator per key; sub key: end of the window'],
  [/^windows-fired$/, 'windows that fired and may fire again for late records; sub key: end'],
  [/^slices$/, 'parts of sliding windows: accumulator per key; sub key: start of the slice'],
  [/^sessions$/, 'open sessions: end and accumulator; sub key: start of the session'],
  [/^window-bounds$/, 'merged windows: end; sub key: start'],
  [/^window-contents$/, 'accumulators of windows; sub key: the window'],
  [/^window-elements$/, 'buffered records of windows, in chunks; sub key: window and number'],
  [/^window-timers\//, 'when windows fire or are removed'],
  [/^trigger\//, 'state of the trigger; sub key: the window'],
  [/^window-state\//, 'state of the window function per window; sub key: the window'],
];

const lists: ReadonlyMap<string, string> = new Map([
  ['splits', 'what the source reads, and where it goes on'],
  ['writer', 'output that is begun and not finished'],
  ['committables', 'output that is finished and not yet known to be committed'],
  ['in-flight', 'records whose asynchronous call has not ended'],
  ['window-grid', 'how far windows have fired'],
]);

/**
 * What a keyed table is, if Millrace keeps it; null for one that the user's function declares. By
 * its kind and name, for a checkpoint does not say who declared a table.
 */
export function explainTable(name: string, kind: string): string | null {
  const isOfUser = ['map', 'reducing', 'aggregating'].includes(kind);
  if (isOfUser) return null;
  if (kind === 'value' && name !== 'reduced') return null;
  return tables.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** What a list of operator state is, if Millrace keeps it. */
export function explainList(name: string): string | null {
  return lists.get(name) ?? null;
}
