import { type JobDefinition, run } from '@millrace/core';
import type { CampaignJob } from '../campaign/campaign-job.ts';
import { CLEAN_LIFE } from '../campaign/fault-plan.ts';
import { differences } from '../campaign/run-seed.ts';
import { runSimulation } from '../environment/run-simulation.ts';
import { VirtualDisk } from '../environment/virtual-disk.ts';
import { type JobInput, putInput } from './job-input.ts';
import { finishedFiles, type JobOutput, recordsOf } from './job-output.ts';
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

/** A user's job as a campaign takes it. Records are compared by content, as one line each. */
export function campaignJobOf(job: JobDefinition, options: SimulatedJobOptions): CampaignJob {
  const { input = {}, output, expected, parameters } = options;
  const { parallelisms, usesProcessingTime, hasLateRecords } = options;
  return {
    name: job.name,
    ...(parallelisms === undefined ? {} : { parallelisms }),
    ...(usesProcessingTime === undefined ? {} : { usesProcessingTime }),
    ...(hasLateRecords === undefined ? {} : { hasLateRecords }),
    hasFreeState: true, // what users promise is their output
    build(inputSize, { disk }) {
      putInput(disk, input, inputSize);
      if (typeof output === 'object') output.clear();
      return { name: job.name, build: () => job.build(parameters) };
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
 * @returns how many records it commits
 * @throws what the job fails with, or SimulationStuckError
 */
export async function runOnce(job: JobDefinition, options: SimulatedJobOptions): Promise<number> {
  const disk = new VirtualDisk();
  putInput(disk, options.input ?? {});
  if (typeof options.output === 'object') options.output.clear();
  await runSimulation({
    seed: 1,
    disk,
    start: async (environment) => {
      const execution = await run(job, {
        environment,
        ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
        parallelism: options.parallelisms?.[0] ?? CLEAN_LIFE.parallelism,
        checkpoints: { directory: '/checkpoints' },
        restart: { kind: 'none' },
      });
      await execution.done;
    },
  });
  return committedRecords(disk, options).length;
}

function committedRecords(disk: VirtualDisk, options: SimulatedJobOptions): readonly unknown[] {
  const { output = recordsOf, input = {} } = options;
  if (typeof output === 'object') return output.values();
  return output(finishedFiles(disk, [...ENGINE_DIRECTORIES, ...Object.keys(input)]));
}
