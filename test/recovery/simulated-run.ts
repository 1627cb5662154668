// Runs a job in the simulator and reads what it has committed.
import { run } from '@millrace/core';
import type { VirtualDisk, VirtualEnvironment } from '@millrace/testing';
import type { SimulatedJob } from './simulated-jobs.ts';

/** Small sizes, so that a crash can come between any two records and elements. */
const TUNING = { batchSize: 2, turnMs: 2, elementsPerTurn: 1, channelCapacity: 2 };
const CHECKPOINT_INTERVAL_MS = 20;

/**
 * Starts a job on a virtual environment and waits for its end.
 *
 * @returns how many checkpoints completed in this life
 */
export async function runSimulated(
  simulated: SimulatedJob,
  environment: VirtualEnvironment,
  life: number,
): Promise<number> {
  let checkpoints = 0;
  const { parallelism, parallelismAfterCrash } = simulated;
  const execution = await run(simulated.job, {
    environment,
    parallelism: life === 0 ? parallelism : (parallelismAfterCrash ?? parallelism),
    checkpoints: {
      directory: '/checkpoints',
      intervalMs: CHECKPOINT_INTERVAL_MS,
      tolerableFailures: 100,
    },
    tuning: TUNING,
    onEvent({ kind }) {
      if (kind === 'checkpointCompleted') checkpoints++;
    },
  });
  await execution.done;
  return checkpoints;
}

/** All lines that are visible to a reader: finished files only, sorted. */
export function committedLines(disk: VirtualDisk): string[] {
  const root = disk.find('/out');
  if (root === undefined || root.kind !== 'directory') return [];
  const lines: string[] = [];
  for (const directory of root.names.values()) {
    if (directory.kind !== 'directory') continue;
    for (const [name, file] of directory.names) {
      if (name.startsWith('.') || file.kind !== 'file') continue;
      lines.push(...new TextDecoder().decode(file.content).split('\n').filter(Boolean));
    }
  }
  return lines.sort();
}
