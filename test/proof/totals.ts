// Adds up what came of all seeds, and prints it.
import { ALL_EDGES } from './edges/all-edges.ts';
import type { SeedReport } from './seed-report.ts';

/** Sums over all seeds so far. */
export class Totals {
  counted = 0;
  differences = 0;
  #turns = 0;
  #crashes = 0;
  #checkpoints = 0;
  #virtualMs = 0;
  readonly #faults = new Map<string, number>();
  readonly #edges = new Map<string, number>();
  readonly #uncounted = new Map<string, number>();
  readonly #byJob = new Map<string, number>();

  add(report: SeedReport): void {
    for (const [edge, times] of report.edges) increase(this.#edges, edge, times);
    if (report.problems.length > 0) this.differences++;
    if (report.uncounted !== null) {
      increase(this.#uncounted, report.uncounted, 1);
      return;
    }
    this.counted++;
    this.#turns += report.turns;
    this.#crashes += report.crashes;
    this.#checkpoints += report.checkpoints;
    this.#virtualMs += report.virtualMs;
    increase(this.#byJob, report.job, 1);
    for (const [fault, times] of report.faults) increase(this.#faults, fault, times);
  }

  /** Everything, the line with the sums last. */
  text(): string {
    const missed = ALL_EDGES.filter((edge) => !this.#edges.has(edge));
    const sums =
      `seeds=${this.counted} turns=${this.#turns} crashes=${this.#crashes} ` +
      `virtualHours=${(this.#virtualMs / 3_600_000).toFixed(1)} differences=${this.differences}`;
    return [
      `\nseeds by job (${this.#checkpoints} checkpoints in all)`,
      ...columns(this.#byJob),
      '\nfaults by kind',
      ...columns(this.#faults),
      '\nedges of the state machines',
      ...columns(this.#edges),
      `\nedges that no seed reached: ${missed.length}`,
      ...missed.map((edge) => `  ${edge}`),
      `\nseeds that do not count: ${[...this.#uncounted.values()].reduce((a, b) => a + b, 0)}`,
      ...columns(this.#uncounted),
      `\n${sums}`,
    ].join('\n');
  }
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function columns(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${String(count).padStart(10)}  ${name}`);
}
