/** The middle one; of an even number the lower of the two in the middle. */
export function median(figures: readonly number[]): number {
  return percentile(figures, 0.5);
}

/** The smallest figure that a share of `share` (0 to 1) of all is not above. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** A table to standard error, JSON to standard output. */
export function print(benchmark: string, rows: readonly object[]): void {
  printTable(rows);
  printJson(benchmark, { rows });
}

/** A table to standard error: a line per row, a column per member of the first one. */
export function printTable(rows: readonly object[]): void {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => Object.values(row).map(String))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  for (const line of lines) {
    const cells = line.map((cell, column) => cell.padEnd(widths[column]!));
    process.stderr.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

/** One JSON object on one line of standard output: what it is of, and the figures. */
export function printJson(benchmark: string, figures: object): void {
  const { version, arch, platform } = process;
  const when = new Date().toISOString();
  const about = { benchmark, when, node: version, arch, platform };
  process.stdout.write(`${JSON.stringify({ ...about, ...figures })}\n`);
}
