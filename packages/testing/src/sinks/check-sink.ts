import { InvalidOptionError, type Sink } from '@millrace/core/connector';
import type { VirtualEnvironment } from '../environment/virtual-environment.ts';
import { contentKey } from '../user/multiset.ts';
import { type ScenarioOutcome, runScenario } from './run-scenario.ts';
import { planScenarios } from './scenario-plan.ts';
import { parseScenario, scenarioId, type SinkScenario } from './sink-scenario.ts';
import { type SinkReport, SinkReportBuilder } from './sink-report.ts';
import { SCRIPT_RECORDS } from './sink-script.ts';

/** A sink and the system that it writes to, both new. */
export interface SinkTarget<T> {
  /**
   * The sink as a process makes it that runs on `environment`: called once per process. Files are
   * written through `environment.fileSystem`; a stand-in for a foreign system outlives processes.
   */
  sink(environment: VirtualEnvironment): Sink<T>;
  /** What a reader of the target system sees now, in any order. */
  read(environment: VirtualEnvironment): Promise<readonly unknown[]> | readonly unknown[];
}

/** What is checked, and how thoroughly. */
export interface CheckSinkOptions<T> {
  /** Called once per scenario. */
  setUp(): SinkTarget<T>;
  /** The record of an index from 0; `read` gives it back (equal in content). All differ. */
  record(index: number): T;
  /** Crash points per family of scenarios, spread evenly. Default 50; Infinity: every turn. */
  readonly points?: number;
  /** Orders of turns to try. Default [1, 2]. */
  readonly seeds?: readonly number[];
  /**
   * `problem` (default): records that readers see before their checkpoint is complete break
   * exactly-once. `allowed`: for targets that write one row per key again and again, where only
   * the final content counts.
   */
  readonly earlyOutput?: 'problem' | 'allowed';
  /** Runs one scenario alone, by the id that a report gives. */
  readonly only?: string;
}

/**
 * Finds out what a sink really promises: drives it through the life cycles of writers and
 * committers as the engine does, ends attempts everywhere (a failed task, a killed process, lost
 * power, a process that sleeps until another has taken over), restores, at the same or another
 * parallelism, and compares what a reader sees at the end with what was written.
 *
 * Cost: some hundred runs of two dozen records; seconds.
 *
 * @throws InvalidOptionError if records are not distinct, or `only` is no id
 */
export async function checkSink<T>(options: CheckSinkOptions<T>): Promise<SinkReport> {
  checkRecords(options.record);
  const report = new SinkReportBuilder(options.earlyOutput ?? 'problem');
  const run = async (scenario: SinkScenario): Promise<ScenarioOutcome> => {
    const outcome = await runScenario(scenario, options.setUp(), options.record);
    report.add(scenarioId(scenario), outcome);
    return outcome;
  };
  if (options.only !== undefined) await run(parseScenario(options.only));
  else await planScenarios(run, options.points ?? 50, options.seeds ?? [1, 2]);
  return report.report();
}

function checkRecords(record: (index: number) => unknown): void {
  const keys = new Set<string>();
  for (let index = 0; index < SCRIPT_RECORDS; index++) keys.add(contentKey(record(index)));
  if (keys.size === SCRIPT_RECORDS) return;
  throw new InvalidOptionError('record', record, 'must give another record for every index');
}
