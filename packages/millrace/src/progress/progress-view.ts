import { formatDuration } from '../command/duration.ts';
import { formatBytes, formatCount, formatTime } from './figures.ts';
import type { OperatorRate, ProgressState } from './progress-state.ts';

/**
 * What a terminal shows, line by line; no line is longer than `columns` (>= 1). Pure.
 *
 *     order-totals  running  12 s
 *       operator  subtasks   in/s    out/s  records in  records out  watermark            lag
 *       orders           1      -  120.4 k           -        1.2 M  2026-01-01 00:00:12  1.2 s
 *     checkpoint 3, 2.1 s ago: 45 ms, 1.2 MB written of 3.4 MB
 *
 * Columns that do not fit are left out, the least important first.
 *
 * Cost: O(operators).
 */
export function progressLines(state: ProgressState, nowMs: number, columns: number): string[] {
  const lines = [
    `${state.jobName}  ${state.status}  ${formatDuration(nowMs - state.startedAtMs)}`,
    ...table(state.operators, nowMs, columns),
    checkpointLine(state, nowMs),
  ];
  if (state.restarts > 0 || state.failure !== null) {
    const times = `${state.restarts} restart${state.restarts === 1 ? '' : 's'}`;
    lines.push(`${times}; last failure: ${state.failure ?? 'none'}`);
  }
  return lines.map((line) => fit(line, columns));
}

/** Input that is further behind is replayed: how far says nothing, and its date is there. */
const LAG_MS_MAX = 2 * 86_400_000;

const titles = [
  'operator',
  'subtasks',
  'in/s',
  'out/s',
  'records in',
  'records out',
  'watermark',
  'lag',
] as const;
type Title = (typeof titles)[number];
type Row = Readonly<Record<Title, string>>;

const leftAligned: ReadonlySet<Title> = new Set<Title>(['operator', 'watermark', 'lag']);
/** What a narrow terminal goes without, in this order. */
const dispensable: readonly Title[] = ['subtasks', 'lag', 'records in', 'in/s'];

function table(operators: readonly OperatorRate[], nowMs: number, columns: number): string[] {
  if (operators.length === 0) return [];
  const rows = operators.map((operator) => cells(operator, nowMs));
  const widths = new Map(
    titles.map((title) => [title, Math.max(title.length, ...rows.map((row) => row[title].length))]),
  );
  const shown = new Set<Title>(titles);
  const width = (): number => [...shown].reduce((sum, title) => sum + 2 + widths.get(title)!, 0);
  for (const title of dispensable) if (width() > columns) shown.delete(title);
  const line = (cellOf: (title: Title) => string): string =>
    [...shown]
      .map((title) => {
        const cell = cellOf(title);
        const wide = widths.get(title)!;
        return `  ${leftAligned.has(title) ? cell.padEnd(wide) : cell.padStart(wide)}`;
      })
      .join('')
      .trimEnd();
  return [line((title) => title), ...rows.map((row) => line((title) => row[title]))];
}

function cells({ metrics, inPerSecond, outPerSecond }: OperatorRate, nowMs: number): Row {
  const { uid, kind, watermarkMs } = metrics;
  // What a source reads is what it gives out.
  const isSource = kind === 'source';
  const isSink = kind === 'sink';
  const lagMs = nowMs - watermarkMs;
  return {
    operator: uid.length > 28 ? `${uid.slice(0, 27)}…` : uid,
    subtasks: String(metrics.parallelism),
    'in/s': isSource ? '-' : formatCount(inPerSecond),
    'out/s': isSink ? '-' : formatCount(outPerSecond),
    'records in': isSource ? '-' : formatCount(metrics.recordsIn),
    'records out': isSink ? '-' : formatCount(metrics.recordsOut),
    watermark: formatTime(watermarkMs),
    lag: lagMs < LAG_MS_MAX && isDate(watermarkMs) ? formatDuration(lagMs) : '-',
  };
}

function checkpointLine(state: ProgressState, nowMs: number): string {
  const aborted = state.checkpointsAborted > 0 ? ` (${state.checkpointsAborted} aborted)` : '';
  const last = state.lastCheckpoint;
  if (last === null) return `no checkpoint yet${aborted}`;
  const ago = formatDuration(nowMs - state.lastCheckpointAtMs);
  const size = `${formatBytes(last.writtenBytes)} written of ${formatBytes(last.totalBytes)}`;
  const took = formatDuration(last.durationMs);
  return `${last.kind} ${last.checkpointId}, ${ago} ago: ${took}, ${size}${aborted}`;
}

/** The largest watermark (end of input) is beyond what a date can be. */
function isDate(timeMs: number): boolean {
  return Math.abs(timeMs) <= 8.64e15;
}

function fit(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
