import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';
import type { ScenarioOutcome } from './run-scenario.ts';

/**
 * What a sink does to records, whatever it says of itself.
 *
 * - `exactly-once`: each is seen once, and not before its checkpoint is complete
 * - `at-least-once`: none is lost; some are doubled, seen before their checkpoint is complete, or
 *   were never written (torn)
 * - `lossy`: some are lost
 * - `lossy-and-doubling`: some are lost, others doubled or seen early
 */
export type SinkVerdict = 'exactly-once' | 'at-least-once' | 'lossy' | 'lossy-and-doubling';

/** The first scenario that shows a problem. */
export interface SinkFinding {
  readonly problem: 'lost' | 'doubled' | 'early' | 'foreign';
  /** The first record concerned. */
  readonly value: unknown;
  /** What happened, one line per attempt that ended before its time; empty: nothing did. */
  readonly story: readonly string[];
  /** Give it as `only` to run this scenario alone. */
  readonly scenario: string;
  /** Scenarios that show the problem. */
  readonly scenarios: number;
  /** Why the job could not go on, if that is how records were lost. */
  readonly stuck: string | null;
}

/** The verdict on a sink, with what it rests on. */
export interface SinkReport {
  readonly verdict: SinkVerdict;
  /** Scenarios run. */
  readonly scenarios: number;
  /** Attempts that were ended before their time. */
  readonly crashes: number;
  readonly lost: SinkFinding | null;
  readonly doubled: SinkFinding | null;
  readonly early: SinkFinding | null;
  /** A value that was never written: a torn record, most often. */
  readonly foreign: SinkFinding | null;
  /** All of it, to be printed. */
  readonly text: string;
  /** What happened in the last scenario, turn by turn; worth reading with `only`. */
  readonly trace: readonly string[];
}

/** Collects outcomes into a report. */
export class SinkReportBuilder {
  readonly #countsEarly: boolean;
  readonly #findings: Partial<Record<SinkFinding['problem'], SinkFinding>> = {};
  #scenarios = 0;
  #crashes = 0;
  #trace: readonly string[] = [];

  constructor(earlyOutput: 'problem' | 'allowed') {
    this.#countsEarly = earlyOutput === 'problem';
  }

  add(scenario: string, outcome: ScenarioOutcome): void {
    this.#scenarios++;
    this.#crashes += outcome.deaths.length;
    this.#trace = outcome.trace;
    this.#note('lost', outcome.lost, scenario, outcome);
    this.#note('doubled', outcome.doubled, scenario, outcome);
    this.#note('foreign', outcome.foreign, scenario, outcome);
    if (this.#countsEarly) this.#note('early', outcome.early, scenario, outcome);
  }

  report(): SinkReport {
    const { lost = null, doubled = null, early = null, foreign = null } = this.#findings;
    const doubles = doubled !== null || early !== null;
    const verdict = verdictOf(lost !== null, doubles || (foreign !== null && lost === null));
    const counts = `${this.#scenarios} scenarios, ${this.#crashes} crashes`;
    const findings = [lost, doubled, early, foreign].filter((finding) => finding !== null);
    const text = [`verdict: ${verdict} (${counts})`, ...findings.map(describe)].join('\n\n');
    return {
      verdict,
      scenarios: this.#scenarios,
      crashes: this.#crashes,
      lost,
      doubled,
      early,
      foreign,
      text,
      trace: this.#trace,
    };
  }

  #note(
    problem: SinkFinding['problem'],
    values: readonly unknown[],
    scenario: string,
    { deaths, stuck }: ScenarioOutcome,
  ): void {
    if (values.length === 0) return;
    const known = this.#findings[problem];
    const first = { problem, value: values[0], story: deaths, scenario, stuck, scenarios: 1 };
    this.#findings[problem] =
      known === undefined ? first : { ...known, scenarios: known.scenarios + 1 };
  }
}

/**
 * For tests: fails with the report unless nothing was lost, doubled or seen early.
 *
 * @throws AssertionError
 */
export function assertExactlyOnce(report: SinkReport): void {
  assertVerdict(report, ['exactly-once']);
}

/**
 * For tests: fails with the report if something was lost.
 *
 * @throws AssertionError
 */
export function assertAtLeastOnce(report: SinkReport): void {
  assertVerdict(report, ['at-least-once', 'exactly-once']);
}

function assertVerdict({ verdict, text }: SinkReport, allowed: readonly SinkVerdict[]): void {
  if (allowed.includes(verdict)) return;
  const [expected] = allowed;
  throw new AssertionError({
    message: `the sink is not ${expected}\n\n${text}\n`,
    actual: verdict,
    expected,
    operator: 'checkSink',
  });
}

function verdictOf(loses: boolean, doubles: boolean): SinkVerdict {
  if (loses) return doubles ? 'lossy-and-doubling' : 'lossy';
  return doubles ? 'at-least-once' : 'exactly-once';
}

const PROBLEM_WORDS = {
  lost: 'is lost',
  doubled: 'is doubled',
  early: 'is seen by readers before its checkpoint is complete',
  foreign: 'was never written, but is there',
} as const;

function describe({ problem, value, story, scenario, scenarios, stuck }: SinkFinding): string {
  const lines = [`${inspect(value)} ${PROBLEM_WORDS[problem]} (in ${scenarios} scenarios):`];
  if (story.length === 0) lines.push('  - nothing crashed at all');
  for (const line of story) lines.push(`  - ${line}`);
  if (stuck !== null) lines.push(`  - then the job could not go on: ${stuck}`);
  lines.push(`  again: checkSink({ ..., only: '${scenario}' })`);
  return lines.join('\n');
}
