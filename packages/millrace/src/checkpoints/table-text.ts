import {
  explainList,
  explainTable,
  type OperatorFacts,
  type TableFacts,
} from '@millrace/core/checkpoint';
import { formatBytes, formatWhole } from '../progress/figures.ts';

/** The most fields of a shape, and shapes of a table, that are shown. */
const FIELDS_MAX = 8;
const SHAPES_MAX = 3;

/** What operators hold, for people: one line per table, explained if it is not the user's. */
export function tablesText(operators: readonly OperatorFacts[]): string {
  const lines = operators.flatMap((operator) => {
    const { operatorUid, parallelism, maxParallelism, runs, runBytes, tables, lists } = operator;
    const size = runs === 0 ? '' : `, ${counted(runs, 'run')}, ${formatBytes(runBytes)}`;
    const subtasks = counted(parallelism, 'subtask');
    const head = `operator "${operatorUid}": ${subtasks}, ${maxParallelism} key groups${size}`;
    const rows = [
      ...tables.map((table) => ({
        cells: [table.name, table.kind, versionText(table), entriesText(table), bytesText(table)],
        more: shapesText(table),
        why: explainTable(table.name, table.kind),
      })),
      ...lists.map(({ name, redistribution, elements }) => ({
        cells: [name, `list, ${redistribution}`, '', counted(elements, 'element'), ''],
        more: '',
        why: explainList(name),
      })),
    ];
    if (rows.length === 0) return [head, '  no state'];
    return [head, ...alignedRows(rows)];
  });
  return `${lines.join('\n')}\n`;
}

interface Row {
  readonly cells: readonly string[];
  readonly more: string;
  readonly why: string | null;
}

function alignedRows(rows: readonly Row[]): string[] {
  const widths = rows[0]!.cells.map((_, column) =>
    Math.max(...rows.map(({ cells }) => cells[column]!.length)),
  );
  return rows.flatMap(({ cells, more, why }) => {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column]!));
    const line = `  ${[...padded, more].filter((cell) => cell !== '').join('  ')}`.trimEnd();
    return why === null ? [line] : [line, `      ${why}`];
  });
}

function versionText({ version, versions, exact }: TableFacts): string {
  const older = versions.filter((stored) => stored !== version);
  if (older.length === 0) return `v${version}`;
  const also = `${exact === null ? 'perhaps ' : ''}also`;
  return `v${version}, ${also} ${older.map((stored) => `v${stored}`).join(' ')}`;
}

function entriesText({ entriesAtMost, exact }: TableFacts): string {
  if (exact === null) return `at most ${formatWhole(entriesAtMost)} entries`;
  const { entries, expired } = exact;
  const text = entries === 1 ? '1 entry' : `${formatWhole(entries)} entries`;
  return expired === 0 ? text : `${text}, ${formatWhole(expired)} expired`;
}

function bytesText({ exact }: TableFacts): string {
  return exact === null || exact.entries === 0 ? '' : formatBytes(exact.bytes);
}

function shapesText({ exact }: TableFacts): string {
  const shapes = exact?.shapes ?? [];
  const shown = shapes.slice(0, SHAPES_MAX).map(({ fields, entries }) => {
    const names = fields.slice(0, FIELDS_MAX).join(', ');
    const more = fields.length > FIELDS_MAX ? `, and ${fields.length - FIELDS_MAX} more` : '';
    return `{${names}${more}}${shapes.length > 1 ? ` ${formatWhole(entries)}` : ''}`;
  });
  if (shapes.length > SHAPES_MAX) shown.push(`and ${shapes.length - SHAPES_MAX} other shapes`);
  return shown.join(', ');
}

function counted(count: number, word: string): string {
  return `${formatWhole(count)} ${word}${count === 1 ? '' : 's'}`;
}
