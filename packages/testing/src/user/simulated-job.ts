import { type JobDefinition, run } from '@millrace/core';
import type { CampaignJob } from '../campaign/campaign-job.ts';
import { CLEAN_LIFE } from '../campaign/fault-plan.ts';
import { differences } from '../campaign/run-seed.ts';
import { runSimulation } from '../environment/run-simulation.ts';
import { VirtualDisk } from '../environment/virtual-disk.ts';
import { type JobInput, putInput } from './job-input.ts';
import { finishedFiles, type JobOutput, recordsOf } from './job-output.ts';
import { pacedJob } from './paced-job.ts';
import { contentKey } from './multiset.ts';

/** Never read as output. */
const ENGINE_DIRECTORIES = ['checkpoints', 'savepoints'];

/** What a job reads, where its output is, and what that has to be. */
export interface SimulatedJobOptions {
  /** Put on the virtual disk; files that the job reads from its real disk are not there. */
  readonly input?: JobInput;
  /** What the job's function gets. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default: every finished file on the virtual disk that is no input. */
  readonly output?: JobOutput;
  /** What has to be committed, in any order. Default: what a run without faults commits. */
  readonly expected?: readonly unknown[];
  /** What it may run with. Default 1, 2 and 3; give one if the output depends on it. */
  readonly parallelisms?: readonly number[];
  /** Its output depends on processing time, so the wall clock does not jump. Default false. */
  readonly usesProcessingTime?: boolean;
  /** Its input holds records behind the watermark. Default false. */
  readonly hasLateRecords?: boolean;
}

/** What a run without faults has shown. */
export interface Rehearsal {
  readonly recordsRead: number;
  readonly recordsCommitted: number;
}

/** Virtual time that reading the input is stretched to, at most; a turn takes 0.1 ms. */
const READING_MS = 120;
const REST_MAX_MS = 2;

/** A user's job as a campaign takes it. Records are compared by content, as one line each. */
export function campaignJobOf(
  job: JobDefinition,
  options: SimulatedJobOptions,
  { recordsRead }: Rehearsal,
): CampaignJob {
  const { input = {}, output, expected, parameters } = options;
  const { parallelisms, usesProcessingTime, hasLateRecords } = options;
  return {
    name: job.name,
    ...(parallelisms === undefined ? {} : { parallelisms }),
    ...(usesProcessingTime === undefined ? {} : { usesProcessingTime }),
    ...(hasLateRecords === undefined ? {} : { hasLateRecords }),
    hasFreeState: true, // what users promise is their output
    build(inputSize, { disk }) {
      // What is expected is expected of all of it.
      putInput(disk, input, expected === undefined ? inputSize : 1);
      if (typeof output === 'object') output.clear();
      const bound = { name: job.name, build: () => job.build(parameters) };
      return pacedJob(bound, { restMs: Math.min(REST_MAX_MS, READING_MS / recordsRead) });
    },
    committed: ({ disk }) => committedRecords(disk, options).map(contentKey),
    ...(expected === undefined
      ? {}
      : {
          judge: (committed: readonly string[]) =>
            differences(expected.map(contentKey), committed, false),
        }),
  };
}

/**
 * Runs the job once without faults, so that a mistake of its own shows as what it is.
 *
 * @throws what the job fails with, or SimulationStuckError
 */
export async function rehearse(
  job: JobDefinition,
  options: SimulatedJobOptions,
): Promise<Rehearsal> {
  let recordsRead = 0;
  const onBatch = (records: number): void => {
    recordsRead += records;
  };
  const disk = new VirtualDisk();
  putInput(disk, options.input ?? {});
  if (typeof options.output === 'object') options.output.clear();
  await runSimulation({
    seed: 1,
    disk,
    start: async (environment) => {
      const execution = await run(pacedJob(job, { restMs: 0, onBatch }), {
        environment,
        ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
        parallelism: options.parallelisms?.[0] ?? CLEAN_LIFE.parallelism,
        checkpoints: { directory: '/checkpoints' },
        restart: { kind: 'none' },
      });
      await execution.done;
    },
  });
  return { recordsRead, recordsCommitted: committedRecords(disk, options).length };
}

function committedRecords(disk: VirtualDisk, options: SimulatedJobOptions): readonly unknown[] {
  const { output = recordsOf, input = {} } = options;
  if (typeof output === 'object') return output.values();
  return output(finishedFiles(disk, [...ENGINE_DIRECTORIES, ...Object.keys(input)]));
}
