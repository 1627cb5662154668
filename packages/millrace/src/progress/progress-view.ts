import { formatDuration } from '../command/duration.ts';
import { formatBytes, formatCount, formatTime } from './figures.ts';
import type { OperatorRate, ProgressState } from './progress-state.ts';

/**
 * What a terminal shows, line by line; no line is longer than `columns` (>= 1). Pure.
 *
 *     order-totals  running  12 s
 *       operator   subtasks       in/s      out/s    records in  watermark            lag
 *       orders            1          0    120.4 k             0  2026-01-01 00:00:12  1.2 s
 *     checkpoint 3, 2.1 s ago: 45 ms, 1.2 MB written of 3.4 MB
 *
 * Cost: O(operators).
 */
export function progressLines(state: ProgressState, nowMs: number, columns: number): string[] {
  const lines = [
    `${state.jobName}  ${state.status}  ${formatDuration(nowMs - state.startedAtMs)}`,
    ...table(state.operators, nowMs),
    checkpointLine(state, nowMs),
  ];
  if (state.restarts > 0 || state.failure !== null) {
    const times = `${state.restarts} restart${state.restarts === 1 ? '' : 's'}`;
    lines.push(`${times}; last failure: ${state.failure ?? 'none'}`);
  }
  return lines.map((line) => fit(line, columns));
}

const titles = ['operator', 'subtasks', 'in/s', 'out/s', 'records in', 'watermark', 'lag'];
const leftAligned: ReadonlySet<number> = new Set([0, 5, 6]);

function table(operators: readonly OperatorRate[], nowMs: number): string[] {
  if (operators.length === 0) return [];
  const rows = [titles, ...operators.map((operator) => cells(operator, nowMs))];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const padded = row.map((cell, column) =>
      leftAligned.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return `  ${padded.join('  ')}`.trimEnd();
  });
}

function cells({ metrics, inPerSecond, outPerSecond }: OperatorRate, nowMs: number): string[] {
  const { watermarkMs } = metrics;
  return [
    metrics.uid.length > 28 ? `${metrics.uid.slice(0, 27)}…` : metrics.uid,
    String(metrics.parallelism),
    formatCount(inPerSecond),
    formatCount(outPerSecond),
    formatCount(metrics.recordsIn),
    formatTime(watermarkMs),
    Number.isFinite(watermarkMs) && isDate(watermarkMs) ? formatDuration(nowMs - watermarkMs) : '-',
  ];
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
