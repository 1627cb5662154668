/** The middle one; of an even number the lower of the two in the middle. */
export function median(figures: readonly number[]): number {
  return percentile(figures, 0.5);
}

/** The smallest figure that a share of `share` (0 to 1) of all is not above. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/**
 * A table to standard error, JSON to standard output: one object, with `details` as its rows if the
 * table leaves something out.
 */
export function print(
  benchmark: string,
  rows: readonly object[],
  details: readonly object[] = rows,
): void {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => Object.values(row).map(String))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  for (const line of lines) {
    const cells = line.map((cell, column) => cell.padEnd(widths[column]!));
    process.stderr.write(`${cells.join('  ').trimEnd()}\n`);
  }
  const { version, arch, platform } = process;
  const when = new Date().toISOString();
  process.stdout.write(
    `${JSON.stringify({ benchmark, when, node: version, arch, platform, rows: details })}\n`,
  );
}
