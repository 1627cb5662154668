import { resolve } from 'node:path';
import type { Environment } from '../base/environment.ts';
import { placeBelow, schemeOf } from '../checkpoint/place-address.ts';
import { restorePathOf, savepointDirectoryName } from '../checkpoint/paths.ts';
import {
  type ResolvedCheckpointOptions,
  resolveCheckpointOptions,
} from '../config/checkpoint-options.ts';
import { resolveStateBytes } from '../config/memory-options.ts';
import { resolveRestartStrategy } from '../config/restart-strategy.ts';
import { recover, type RestoreFrom } from '../coordinator/recovery.ts';
import { BATCH_CAPACITY } from '../element/batch.ts';
import type { JobDefinition } from '../graph/job-definition.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { MemoryBudget } from '../state/memory-budget.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import type { HostSettings } from './job-attempt.ts';
import type { JobExecution } from './job-execution.ts';
import { JobRunner } from './job-runner.ts';
import { checkRestore } from './loaded-restore.ts';
import { nodeEnvironment } from './node-environment.ts';
import { heapGauge, threadMemory } from './node-memory.ts';
import { planFor } from './plan-restore.ts';
import type { RunOptions, TuningOptions } from './run-options.ts';
import { UnsupportedStorageError } from './job-errors.ts';
import { readableAtOnce } from './readable-at-once.ts';
import { type StoragePurpose, storageOf } from './storage-of.ts';

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
  const opened = new OpenedStorages(environment);
  const onEnd = async (): Promise<void> => {
    await opened.close();
    await ownEnvironment?.executor.close();
  };
  try {
    return await startJob(job, options, environment, opened, onEnd);
  } catch (error) {
    await onEnd();
    throw error;
  }
}

async function startJob(
  job: JobDefinition,
  options: RunOptions,
  environment: Environment,
  opened: OpenedStorages,
  onEnd: () => Promise<void>,
): Promise<JobExecution> {
  const checkpoints = checkpointOptions(options);
  const restart = resolveRestartStrategy(options.restart);
  const settings = settingsOf(options);
  const streamGraph = job.build(options.parameters);
  let graph = planFor(streamGraph, options, null);
  const storage = await jobStorage(job.name, options, opened);
  const allowDroppedState = options.allowDroppedState ?? false;
  const recovery = await recover({
    storage,
    environment,
    jobName: job.name,
    restoreMode: options.restoreMode ?? 'no-claim',
    openDirectory: (directory, purpose) => opened.open(directory, purpose),
    from: await restoreFrom(options.from ?? 'latest', job.name, options, opened),
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
    storage: recovery.storage,
    recovery,
    checkpoints,
    restart,
    allowDroppedState,
    settings,
    savepointTarget: async (directory) => {
      const random = environment.random.hex(4);
      const name = savepointDirectoryName(job.name, environment.clock.nowMs(), random);
      const path = placeBelow(directory, name);
      return { storage: await opened.open(path), path };
    },
    onEvent: options.onEvent ?? (() => {}),
    onEnd,
  });
  runner.start();
  return runner;
}

/** The storages that a run has opened, to be closed at its end, however it ends. */
class OpenedStorages {
  readonly #environment: Environment;
  readonly #storages: CheckpointStorage[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  async open(place: string, purpose?: StoragePurpose): Promise<CheckpointStorage> {
    return this.add(await storageOf(place, this.#environment, purpose));
  }

  add(storage: CheckpointStorage): CheckpointStorage {
    this.#storages.push(storage);
    return storage;
  }

  async close(): Promise<void> {
    await Promise.all(this.#storages.splice(0).map((storage) => storage.close()));
  }
}

// Without checkpoints there are no periodic ones, but the job still ends with a last one.
function checkpointOptions(options: RunOptions): ResolvedCheckpointOptions {
  if (options.checkpoints !== undefined) return resolveCheckpointOptions(options.checkpoints);
  return { ...resolveCheckpointOptions({ directory: 'memory' }), intervalMs: NEVER_MS };
}

// Without checkpoints the job still takes its last one, in memory, so that its sinks commit.
async function jobStorage(
  jobName: string,
  options: RunOptions,
  opened: OpenedStorages,
): Promise<CheckpointStorage> {
  if (options.storage !== undefined) return opened.add(usable(options.storage));
  if (options.checkpoints === undefined) return new MemoryStorage();
  return opened.open(placeBelow(options.checkpoints.directory, jobName));
}

// State is read when a function touches it, in the middle of a turn.
function usable(storage: CheckpointStorage): CheckpointStorage {
  const readable = readableAtOnce(storage);
  if (readable.getRangeNow !== undefined) return readable;
  throw new UnsupportedStorageError(
    `the storage "${storage.location}" cannot be read at once: its driver has neither` +
      ' getRangeNow nor an opener for another thread',
    { directory: storage.location },
    { hint: 'Give the driver one of the two; with S3, credentials that are no function.' },
  );
}

async function restoreFrom(
  from: string,
  jobName: string,
  options: RunOptions,
  opened: OpenedStorages,
): Promise<RestoreFrom> {
  if (from === 'latest' || from === 'none') return { kind: from };
  const { directory, manifest } = restorePathOf(from);
  // A checkpoint of this very job may be on a storage that only the caller knows.
  const isOwn = options.storage !== undefined && /^chk-\d+/.test(manifest) && directory === '.';
  const storage = isOwn ? options.storage! : await opened.open(directory, 'read');
  const path = isOwn ? `${jobName}/${from}` : from;
  return { kind: 'manifest', path, storage, directory: absolute(directory), manifest };
}

// It is named in manifests, and found again by processes with another working directory.
function absolute(directory: string): string {
  return schemeOf(directory) === null ? resolve(directory) : directory;
}

// Without checkpoints there is nowhere to put what does not fit, and a virtual environment must not
// depend on the memory of the real machine.
function memoryOf(options: RunOptions): Pick<HostSettings, 'memory' | 'heap'> {
  const stateBytes = resolveStateBytes(options.memory);
  const heap = options.environment === undefined ? heapGauge() : null;
  if (options.checkpoints === undefined) {
    return { memory: new MemoryBudget(Number.POSITIVE_INFINITY), heap: null };
  }
  if (stateBytes !== null) return { memory: new MemoryBudget(stateBytes), heap };
  if (heap === null) return { memory: new MemoryBudget(Number.POSITIVE_INFINITY), heap };
  return { memory: threadMemory(), heap };
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
    ...memoryOf(options),
  };
}
