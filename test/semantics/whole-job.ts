import { memorySink } from '@millrace/connectors';
import { run } from '../../packages/core/src/embedded/run.ts';
import type { Flow } from '../../packages/core/src/api/flow.ts';
import { job } from '../../packages/core/src/api/job.ts';
import {
  record,
  runSimulation,
  type ScriptElement,
  scriptedStream,
  watermark,
} from '@millrace/testing';
import {
  type CaseKind,
  type Data,
  dataOf,
  numberOf,
  type SemanticsCase,
  timestampOf,
} from './case.ts';
import type { CaseRecord } from './operator-case.ts';
import { KINDS } from './run-cases.ts';

// A case as a job from source to sink: over channels, through the gate and the task, with
// checkpoints on a virtual disk. Only what a source can say can be told to a job: records and
// watermarks of one input, and the end.

/** What came out, per output and key in order. */
export type Outputs = ReadonlyMap<string, readonly string[]>;

/** @returns null if the case has something in it that a source cannot say */
export function scriptOf(testCase: SemanticsCase): readonly ScriptElement[] | null {
  const { job: spec, steps } = testCase;
  if (kindOf(testCase)?.wholeJob === undefined) return null;
  if (testCase.expectError !== undefined || JSON.stringify(spec).includes('ttl')) return null;
  const script: ScriptElement[] = [];
  for (const step of steps) {
    if (step.inspect === true) continue;
    if (step.input !== undefined) return null;
    if (step.record !== undefined) script.push(recordOf(dataOf(step.record)));
    else if (step.watermark !== undefined) script.push(watermark(numberOf(step.watermark)));
    else if (step.endInput !== 'drain' || step !== steps.at(-1)) return null;
  }
  return script;
}

function recordOf(data: Data): ScriptElement {
  const value: CaseRecord = { key: String(data.key), value: data.value };
  return record(value, timestampOf(data));
}

/** What the case expects of a job as a whole. */
export function expectedOutputs({ expect, expectLate = [] }: SemanticsCase): Outputs {
  const outputs = new Map<string, string[]>();
  for (const { out, late } of [...expect, ...expectLate]) {
    if (out !== undefined) addWithoutTime(outputs, 'out', dataOf(out));
    if (late !== undefined) addWithoutTime(outputs, 'late', dataOf(late));
  }
  return outputs;
}

/** How the job is run. */
export interface WholeJobOptions {
  readonly seed: number;
  readonly parallelism: number;
  readonly generateCode: boolean;
  readonly crashAtSteps: readonly number[];
}

/** What a job came to. */
export interface WholeJobResult {
  readonly outputs: Outputs;
  /** Up to the first crash or the end. */
  readonly steps: number;
  /** Of all that happened. */
  readonly digest: string;
}

/** @returns what the job committed */
export async function runWholeJob(
  testCase: SemanticsCase,
  script: readonly ScriptElement[],
  options: WholeJobOptions,
): Promise<WholeJobResult> {
  const operatorRun = kindOf(testCase)!.wholeJob!(testCase);
  const sink = memorySink<unknown>();
  const ends = testCase.steps.at(-1)?.endInput === 'drain';
  const { seed, crashAtSteps, parallelism, generateCode } = options;
  const result = await runSimulation({
    seed,
    crashAtSteps,
    msPerStep: 0.5,
    maxSteps: 20_000,
    async start(environment) {
      let onExhausted = (): void => {};
      const exhausted = new Promise<void>((resolve) => {
        onExhausted = resolve;
      });
      const definition = job('case', (flow) => {
        const end = ends ? 'finish' : 'stay';
        const source = { splits: [script], end, parallelism: 1, onExhausted } as const;
        // The kinds ask for a source; what they get is the script.
        const scripted = { from: () => scriptedStream<CaseRecord>(flow, 'script', source) };
        const outputs = operatorRun.define(scripted as unknown as Flow);
        for (const [index, output] of outputs.entries()) output.to(`sink-${index}`, sink);
      });
      const execution = await run(definition, {
        environment,
        parallelism,
        generateCode,
        freezeValues: true,
        checkpoints: { directory: '/checkpoints', intervalMs: 10 },
        tuning: { batchSize: 1, elementsPerTurn: 1, channelCapacity: 1 },
      });
      if (!ends) {
        await exhausted;
        await execution.stop();
      }
      await execution.done;
    },
  });
  const outputs = new Map<string, string[]>();
  for (const value of sink.values()) {
    const output = { kind: 'record', value, timestampMs: 0, side: null, subtask: 0 } as const;
    const items = operatorRun.itemOf?.(output) ?? [{ out: value }];
    for (const { out, late } of items) {
      addWithoutTime(outputs, out === undefined ? 'late' : 'out', dataOf(out ?? late));
    }
  }
  return { outputs, steps: result.steps[0]!, digest: result.digest };
}

function kindOf({ job: spec }: SemanticsCase): CaseKind | undefined {
  return KINDS.find(({ name }) => name in spec);
}

function addWithoutTime(outputs: Map<string, string[]>, output: string, out: Data): void {
  const { ts: _ts, ...fields } = out;
  const key = `${output} ${String(fields.key)}`;
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  outputs.set(key, [...(outputs.get(key) ?? []), JSON.stringify(sorted)]);
}
