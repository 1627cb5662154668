import { inspect } from 'node:util';
import { type DumpedEntry, type Json, toTaggedJson } from '@millrace/core/checkpoint';
import { formatTime } from '../progress/figures.ts';
import { formatKey } from './key-text.ts';

/** One line of a dump, without its end, from an entry. */
export type DumpFormat = 'jsonl' | 'table';

/** So many entries decide how wide the columns are. */
const WIDTH_SAMPLE = 200;
/** A column is not made wider for a single long key. */
const WIDTH_MAX = 48;

/** An entry of any sort of state, as it is shown. */
export type ShownEntry =
  | { readonly from: 'table'; readonly kind: string; readonly entry: DumpedEntry }
  | { readonly from: 'list'; readonly subtaskIndex: number; readonly element: Json };

/**
 * Entries as lines with their ends. `jsonl`: nothing is lost, what JSON cannot say is tagged.
 * `table`: for people; long values are cut, keys are written as `--key` takes them.
 */
export async function* dumpLines(
  entries: AsyncIterable<ShownEntry>,
  format: DumpFormat,
): AsyncGenerator<string, void, undefined> {
  if (format === 'jsonl') {
    for await (const shown of entries) yield `${JSON.stringify(jsonOf(shown))}\n`;
    return;
  }
  const sample: string[][] = [];
  let widths: readonly number[] | null = null;
  for await (const shown of entries) {
    const cells = cellsOf(shown);
    if (widths !== null) {
      yield lineOf(cells, widths);
      continue;
    }
    sample.push(cells);
    if (sample.length < WIDTH_SAMPLE) continue;
    widths = widthsOf(sample);
    for (const row of sample.splice(0)) yield lineOf(row, widths);
  }
  const last = widths ?? widthsOf(sample);
  for (const row of sample) yield lineOf(row, last);
}

function jsonOf(shown: ShownEntry): Json {
  if (shown.from === 'list') return { subtask: shown.subtaskIndex, element: shown.element };
  const { key, sub, value, version, expiresAtMs, isExpired } = shown.entry;
  return {
    key: toTaggedJson(key),
    ...(sub === undefined ? {} : { sub: toTaggedJson(sub) }),
    value: toTaggedJson(value),
    version,
    ...(Number.isFinite(expiresAtMs) ? { expiresAtMs } : {}),
    ...(isExpired ? { expired: true } : {}),
  };
}

function cellsOf(shown: ShownEntry): string[] {
  if (shown.from === 'list') return [`subtask ${shown.subtaskIndex}`, valueText(shown.element)];
  const { key, sub, value, version, expiresAtMs, isExpired } = shown.entry;
  const notes = [
    ...(version === 1 ? [] : [`v${version}`]),
    ...(Number.isFinite(expiresAtMs)
      ? [`${isExpired ? 'expired' : 'expires'} ${formatTime(expiresAtMs)}`]
      : []),
  ];
  const isTimer = shown.kind === 'timer';
  return [
    formatKey(key),
    ...(sub === undefined ? [] : [subText(shown.kind, sub)]),
    ...(isTimer ? [] : [valueText(value)]),
    ...(notes.length === 0 ? [] : [`(${notes.join(', ')})`]),
  ];
}

// The first number of a window's or timer's sub key is a time.
function subText(kind: string, sub: NonNullable<DumpedEntry['sub']>): string {
  const time = typeof sub === 'object' ? sub[0] : sub;
  const text = formatKey(sub);
  if ((kind !== 'timer' && kind !== 'window') || typeof time !== 'number') return text;
  if (!(Math.abs(time) <= 8.64e15)) return text;
  return `${text} (${formatTime(time)})`;
}

function valueText(value: unknown): string {
  return inspect(value, {
    breakLength: Number.POSITIVE_INFINITY,
    compact: true,
    depth: 8,
    maxArrayLength: 50,
    maxStringLength: 500,
  }).replaceAll('\n', '\\n');
}

function widthsOf(rows: readonly string[][]): number[] {
  const columns = Math.max(0, ...rows.map(({ length }) => length));
  return Array.from({ length: columns }, (_, column) =>
    Math.min(WIDTH_MAX, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  );
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) =>
    column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
  );
  return `${padded.join('  ')}\n`;
}
