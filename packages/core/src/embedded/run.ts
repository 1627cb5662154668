import type { Environment } from '../base/environment.ts';
import { restorePathOf, savepointDirectoryName } from '../checkpoint/paths.ts';
import {
  type ResolvedCheckpointOptions,
  resolveCheckpointOptions,
} from '../config/checkpoint-options.ts';
import { resolveRestartStrategy } from '../config/restart-strategy.ts';
import { recover, type RestoreFrom } from '../coordinator/recovery.ts';
import { BATCH_CAPACITY } from '../element/batch.ts';
import type { JobDefinition } from '../graph/job-definition.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type { HostSettings } from './job-attempt.ts';
import type { JobExecution } from './job-execution.ts';
import { JobRunner } from './job-runner.ts';
import { checkRestore } from './loaded-restore.ts';
import { nodeEnvironment } from './node-environment.ts';
import { planFor } from './plan-restore.ts';
import type { RunOptions, TuningOptions } from './run-options.ts';
import { storageOf } from './storage-of.ts';

const NEVER_MS = Number.POSITIVE_INFINITY;

const DEFAULT_TUNING: Required<TuningOptions> = {
  batchSize: BATCH_CAPACITY,
  turnMs: 2,
  elementsPerTurn: Number.POSITIVE_INFINITY,
  channelCapacity: 16,
  tickIntervalMs: 200,
};

/**
 * Runs a job in this process.
 *
 * Takes the job over (a process that runs it is fenced), restores it from its latest complete
 * checkpoint or from `options.from`, and resolves when it is claimed; the job then runs in turns of
 * the event loop until it ends (`execution.done`).
 *
 * @throws InvalidOptionError and the errors of building the job, before anything is touched;
 *   errors of a restore that cannot be (StateOperatorMissingError, CorruptManifestError, ...)
 */
export async function run(job: JobDefinition, options: RunOptions = {}): Promise<JobExecution> {
  const ownEnvironment = options.environment === undefined ? nodeEnvironment() : null;
  const environment = options.environment ?? ownEnvironment!;
  const onEnd = async (): Promise<void> => ownEnvironment?.executor.close();
  try {
    return await startJob(job, options, environment, onEnd);
  } catch (error) {
    await onEnd();
    throw error;
  }
}

async function startJob(
  job: JobDefinition,
  options: RunOptions,
  environment: Environment,
  onEnd: () => Promise<void>,
): Promise<JobExecution> {
  const checkpoints = checkpointOptions(options);
  const restart = resolveRestartStrategy(options.restart);
  const streamGraph = job.build(options.parameters);
  const storage = jobStorage(job.name, options, environment);
  let graph = planFor(streamGraph, options, null);
  const allowDroppedState = options.allowDroppedState ?? false;
  const recovery = await recover({
    storage,
    environment,
    jobName: job.name,
    from: restoreFrom(options.from ?? 'latest', job.name, options, environment),
    needsExactlyOnce: checkpoints.mode === 'exactly-once',
    assumeSingleWriter: options.assumeSingleWriter ?? false,
    allowDuplicates: options.allowDuplicates ?? false,
    standby: options.standby ?? false,
    onStandby: (ownerGeneration) => options.onEvent?.({ kind: 'standingBy', ownerGeneration }),
    check: (manifest) => {
      checkRestore(manifest, planFor(streamGraph, options, manifest), allowDroppedState);
    },
  });
  if (recovery.manifest !== null) graph = planFor(streamGraph, options, recovery.manifest);
  const runner = new JobRunner({
    graph,
    environment,
    storage,
    recovery,
    checkpoints,
    restart,
    allowDroppedState,
    settings: settingsOf(options),
    savepointTarget: (directory) => {
      const random = environment.random.hex(4);
      const name = savepointDirectoryName(job.name, environment.clock.nowMs(), random);
      const path = `${directory.replace(/\/+$/, '')}/${name}`;
      return { storage: storageOf(path, environment), path };
    },
    onEvent: options.onEvent ?? (() => {}),
    onEnd: async () => {
      await storage.close();
      await onEnd();
    },
  });
  runner.start();
  return runner;
}

// Without checkpoints there are no periodic ones, but the job still ends with a last one.
function checkpointOptions(options: RunOptions): ResolvedCheckpointOptions {
  if (options.checkpoints !== undefined) return resolveCheckpointOptions(options.checkpoints);
  return { ...resolveCheckpointOptions({ directory: 'memory' }), intervalMs: NEVER_MS };
}

// Without checkpoints the job still takes its last one, in memory, so that its sinks commit.
function jobStorage(
  jobName: string,
  options: RunOptions,
  environment: Environment,
): CheckpointStorage {
  if (options.storage !== undefined) return options.storage;
  if (options.checkpoints === undefined) return new MemoryStorage();
  const directory = options.checkpoints.directory.replace(/\/+$/, '');
  return storageOf(`${directory}/${jobName}`, environment);
}

function restoreFrom(
  from: string,
  jobName: string,
  options: RunOptions,
  environment: Environment,
): RestoreFrom {
  if (from === 'latest' || from === 'none') return { kind: from };
  const { directory, manifest } = restorePathOf(from);
  // A checkpoint of this very job may be on a storage that only the caller knows.
  const isOwn = options.storage !== undefined && /^chk-\d+/.test(manifest) && directory === '.';
  const storage = isOwn ? options.storage! : storageOf(directory, environment);
  return { kind: 'manifest', path: isOwn ? `${jobName}/${from}` : from, storage, manifest };
}

function settingsOf(options: RunOptions): HostSettings {
  const tuning = { ...DEFAULT_TUNING, ...options.tuning };
  return {
    task: {
      batchSize: tuning.batchSize,
      generateCode: options.generateCode ?? true,
      freezeValues: options.freezeValues ?? false,
    },
    limits: { maxMs: tuning.turnMs, maxElements: tuning.elementsPerTurn },
    channelCapacity: tuning.channelCapacity,
    tickIntervalMs: tuning.tickIntervalMs,
    observeChannel: options.observeChannel ?? null,
  };
}
