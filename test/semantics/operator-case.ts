import { job } from '../../packages/core/src/api/job.ts';
import type { DataStream } from '../../packages/core/src/api/data-stream.ts';
import type { Flow } from '../../packages/core/src/api/flow.ts';
import type { Key } from '../../packages/core/src/element/key.ts';
import type { Source } from '../../packages/core/src/function/source.ts';
import { createOperator } from '../../packages/core/src/task/operator/create-operator.ts';
import { OperatorHarness } from '../../packages/testing/src/operator/operator-harness.ts';
import type { HarnessOutput } from '../../packages/testing/src/operator/harness-elements.ts';
import {
  type Data,
  dataOf,
  nothingObserved,
  notSupported,
  numberOf,
  type Observed,
  type SemanticsCase,
  textOfNumber,
  textOfTimestamp,
  timestampOf,
  type Variant,
} from './case.ts';

/** Name of the operator under test in the graphs that kinds build. */
export const OPERATOR = 'operator';

/** A record of a case on its way through an operator. */
export interface CaseRecord {
  readonly key: string;
  readonly value: unknown;
}

type HarnessRecord = HarnessOutput & { kind: 'record' };

/** How a kind of operator case is built and read. One object per run. */
export interface OperatorRun {
  /** Adds the operator, under the name `OPERATOR`, to a job. @returns all of its outputs */
  define(flow: Flow): readonly DataStream<unknown>[];
  /** The record's own key; null = to every subtask. Default: `record.key`. */
  keyOf?(record: CaseRecord, input: number): Key | null;
  /** Timestamp of records that have none in the case; default none. */
  missingTimestampMs?(input: number): number;
  /** The item of a record that came out; default `out` with all its fields and `ts`. */
  itemOf?(output: HarnessRecord): readonly Data[];
  /** A step of this kind alone. @returns undefined if it is none of its */
  step?(step: Data, harness: OperatorHarness): Promise<readonly Data[] | undefined>;
  /** The job will be restored, by the case or unseen. */
  restoring?(unseen: boolean): void;
  /** It has been. */
  restored?(harness: OperatorHarness, unseen: boolean): Promise<void>;
  /** The counter of late records, if the kind has one. */
  readonly droppedCounter?: string;
  /** Side output that holds late records. */
  readonly lateSide?: string;
}

/**
 * The variants of an operator case: as given, and with an unseen restart before each step.
 *
 * @param make a new run on every call; may throw what building the job throws
 */
export function operatorVariants(
  testCase: SemanticsCase,
  make: () => OperatorRun,
  options: { readonly restarts?: boolean; readonly prefix?: string } = {},
): Variant[] {
  const { restarts = true, prefix = '' } = options;
  const variants: Variant[] = [
    { name: `${prefix}as given`, run: () => runCase(testCase, make, -1, false) },
    { name: `${prefix}output full`, run: () => runCase(testCase, make, -1, true) },
  ];
  if (!restarts) return variants;
  for (let at = 1; at < testCase.steps.length; at++) {
    variants.push({
      name: `${prefix}restart before step ${at}`,
      run: () => runCase(testCase, make, at, false),
    });
  }
  return variants;
}

async function runCase(
  testCase: SemanticsCase,
  make: () => OperatorRun,
  restartAt: number,
  yieldOften: boolean,
): Promise<Observed> {
  const observed = nothingObserved();
  let run: OperatorRun;
  let harness: OperatorHarness;
  try {
    run = make();
    harness = await openHarness(testCase, run, yieldOften);
  } catch (error) {
    if (testCase.expectError === undefined) throw error;
    if (testCase.steps.length === 0) observed.error = error;
    else throw error;
    return observed;
  }
  const driver = new CaseDriver(testCase, run, harness, observed);
  for (const [index, step] of testCase.steps.entries()) {
    if (index === restartAt) await driver.restartUnseen(index);
    try {
      await driver.step(step, index);
    } catch (error) {
      if (testCase.expectError === undefined || index + 1 < testCase.steps.length) throw error;
      observed.error = error;
      return observed;
    }
  }
  if (run.droppedCounter !== undefined) observed.dropped = harness.counter(run.droppedCounter);
  await harness.close();
  return observed;
}

async function openHarness(
  testCase: SemanticsCase,
  run: OperatorRun,
  yieldOften: boolean,
): Promise<OperatorHarness> {
  const graph = job('case', (flow) => void run.define(flow)).build();
  const node = graph.nodes.find(({ uid }) => uid === OPERATOR)!;
  const keyOf = run.keyOf ?? ((record: CaseRecord) => record.key);
  return OperatorHarness.open(() => createOperator(node.spec), {
    parallelism: numberOf(testCase.job.parallelism ?? 1),
    maxParallelism: numberOf(testCase.job.maxParallelism ?? 128),
    keyOf: (record, input) => keyOf(record as CaseRecord, input),
    yieldOften,
  });
}

class CaseDriver {
  readonly #case: SemanticsCase;
  readonly #run: OperatorRun;
  readonly #harness: OperatorHarness;
  readonly #observed: Observed;
  readonly #showWatermarks: boolean;

  constructor(
    testCase: SemanticsCase,
    run: OperatorRun,
    harness: OperatorHarness,
    observed: Observed,
  ) {
    this.#case = testCase;
    this.#run = run;
    this.#harness = harness;
    this.#observed = observed;
    const inKind = Object.values(testCase.job).some(
      (part) => typeof part === 'object' && part !== null && 'showWatermarks' in part,
    );
    this.#showWatermarks = testCase.job.showWatermarks === true || inKind;
  }

  async step(step: Data, index: number): Promise<void> {
    const own = await this.#run.step?.(step, this.#harness);
    const direct = own ?? (await this.#commonStep(step));
    this.#take(index, true);
    for (const item of direct) this.#observed.items.push({ step: index, ...item });
  }

  async restartUnseen(index: number): Promise<void> {
    if (this.#harness.restartWouldShow) return;
    this.#run.restoring?.(true);
    await this.#harness.restartUnseen();
    await this.#run.restored?.(this.#harness, true);
    this.#take(index, false);
  }

  async #commonStep(step: Data): Promise<readonly Data[]> {
    const harness = this.#harness;
    const input = (step.input ?? null) as number | null;
    if (step.record !== undefined) await this.#record(dataOf(step.record), input ?? 0);
    else if (step.watermark !== undefined) {
      await harness.give({ kind: 'watermark', timeMs: numberOf(step.watermark), input });
    } else if (step.status !== undefined) {
      await harness.give({ kind: 'status', idle: step.status === 'idle', input });
    } else if (step.clock !== undefined) {
      await harness.give({ kind: 'clock', timeMs: numberOf(step.clock) });
    } else if (step.endInput === 'drain') await harness.give({ kind: 'endOfInput' });
    else if (step.snapshotRestore === true) await this.#restore(harness.parallelism);
    else if (step.rescale !== undefined) {
      await this.#restore(numberOf(step.rescale));
    } else if (step.inspect === true) return [{ inspect: await this.#inspect() }];
    else notSupported(`step ${JSON.stringify(step)}`);
    return [];
  }

  async #record(record: Data, input: number): Promise<void> {
    const given = timestampOf(record);
    const missing = this.#run.missingTimestampMs?.(input) ?? given;
    await this.#harness.give({
      kind: 'record',
      value: { key: record.key, value: record.value } as CaseRecord,
      timestampMs: Number.isNaN(given) ? missing : given,
      input,
      side: null,
    });
  }

  async #restore(parallelism: number): Promise<void> {
    this.#run.restoring?.(false);
    await this.#harness.snapshotRestore(parallelism);
    await this.#run.restored?.(this.#harness, false);
  }

  // Empty state and no timers are binding; other numbers of timers are Flink's own.
  async #inspect(): Promise<Data> {
    const inspection = await this.#harness.inspect();
    const { eventTimers, processingTimers, stateEmpty } = inspection;
    const index = this.#case.expect.findIndex(
      (item) => 'inspect' in item && !this.#observed.items.some(sameStep(item)),
    );
    const wanted = dataOf(this.#case.expect[index]?.inspect ?? {});
    const counted = (actual: number, expected: unknown): unknown =>
      typeof expected === 'number' && expected > 0 ? expected : actual;
    return {
      eventTimers: counted(eventTimers, wanted.eventTimers),
      procTimers: counted(processingTimers, wanted.procTimers),
      stateEmpty,
    };
  }

  #take(index: number, withWatermarks: boolean): void {
    for (const output of this.#harness.takeOutputs()) {
      if (output.kind === 'record') this.#takeRecord(index, output);
      else if (!withWatermarks || !this.#showWatermarks || output.subtask > 0) continue;
      else if (output.kind === 'status') {
        this.#observed.items.push({ step: index, status: output.idle ? 'idle' : 'active' });
      } else {
        this.#observed.items.push({ step: index, watermark: textOfNumber(output.timeMs) });
      }
    }
  }

  #takeRecord(index: number, output: HarnessRecord): void {
    if (output.side !== null && output.side === this.#run.lateSide) {
      const { key, value } = output.value as CaseRecord;
      const late = { key, value, ts: textOfTimestamp(output.timestampMs) };
      this.#observed.late.push({ step: index, late });
      return;
    }
    const items = this.#run.itemOf?.(output) ?? [outItem(output)];
    for (const item of items) {
      const { out } = item;
      const placed = out === undefined ? {} : { out: { ...dataOf(out), subtask: output.subtask } };
      this.#observed.items.push({ step: index, ...item, ...placed });
    }
  }
}

function sameStep(item: Data): (other: Data) => boolean {
  return (other) => 'inspect' in other && other.step === item.step;
}

/** `out` with the fields of the value, and its timestamp. */
export function outItem(output: HarnessRecord): Data {
  return { out: { ...dataOf(output.value), ts: textOfTimestamp(output.timestampMs) } };
}

/** A source that is never read: the cases give their records to the operator directly. */
export function neverReadSource(): Source<CaseRecord> {
  const never = (): never => notSupported('reading the source');
  return {
    name: 'never-read',
    boundedness: 'continuous',
    delivery: 'exactly-once',
    createEnumerator: never,
    createReader: never,
  };
}
