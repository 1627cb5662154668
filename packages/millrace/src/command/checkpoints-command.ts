import {
  collectGarbage,
  describeManifest,
  explainFiles,
  type FileVerdict,
  filesOf,
  inlineBytesOf,
  type Manifest,
  nodeEnvironment,
  placeBelow,
  sizeBytesOf,
  splitPlace,
} from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import { findPlace, findPlaces, type FoundSnapshot } from '../checkpoints/checkpoint-place.ts';
import { chosenSnapshot, readableSnapshot } from '../checkpoints/chosen-snapshot.ts';
import { showTables } from '../checkpoints/show-tables.ts';
import { registeredJobs } from '../control/job-registry.ts';
import { formatBytes, formatTime } from '../progress/figures.ts';
import { readArguments, usage, wholeNumber } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { formatDuration } from './duration.ts';
import { errorData } from './error-report.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { location } from './run-arguments.ts';
import { verifyCheckpoints } from './verify-checkpoints.ts';

const command = 'checkpoints';

interface Asked {
  readonly context: CommandContext;
  readonly environment: Environment;
  /** Absolute, or a URL. */
  readonly directory: string;
  readonly job: string | undefined;
  readonly id: number | undefined;
  readonly isDelete: boolean;
  readonly isAll: boolean;
  readonly isTables: boolean;
  readonly isExact: boolean;
  readonly asJson: boolean;
}

const actions: ReadonlyMap<string, (asked: Asked) => Promise<ExitCode>> = new Map([
  ['ls', listAction],
  ['show', showAction],
  ['verify', verifyAction],
  ['gc', collectAction],
]);

/**
 * `millrace checkpoints ls|show|verify|gc <dir> [job]`: looks at what is stored.
 *
 * @throws UsageError, CheckpointPlaceError, and the errors of damaged logs and manifests
 */
export async function checkpointsCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments(command, args, ['action', 'dir', '[job]'], {
    id: { type: 'string' },
    delete: { type: 'boolean' },
    all: { type: 'boolean' },
    tables: { type: 'boolean' },
    exact: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const [name, directory, job] = positionals;
  const action = actions.get(name!);
  if (action === undefined) throw usage(command, `"${name}" is none of ls, show, verify, gc`);
  const environment = nodeEnvironment();
  try {
    return await action({
      context,
      environment,
      directory: location(directory!, context.workingDirectory),
      job,
      id: wholeNumber(command, 'id', values.id, 1),
      isDelete: values.delete ?? false,
      isAll: values.all ?? false,
      isTables: values.tables ?? false,
      isExact: values.exact ?? false,
      asJson: values.json ?? false,
    });
  } finally {
    await environment.executor.close();
  }
}

async function listAction(asked: Asked): Promise<ExitCode> {
  const { terminal } = asked.context;
  const places = await findPlaces(asked.environment, asked.directory, asked.job);
  if (asked.asJson) {
    const data = places.map((place) => ({
      job: place.jobName,
      generation: place.log?.claim?.generation ?? null,
      snapshots: place.snapshots.map(snapshotData),
    }));
    terminal.out(`${JSON.stringify(data)}\n`);
    return exitCode.ok;
  }
  for (const place of places) {
    const generation = place.log?.claim?.generation;
    const owner = generation === undefined ? '' : `  (generation ${generation})`;
    terminal.out(`${place.jobName}${owner}\n`);
    if (place.snapshots.length === 0) terminal.out('  no complete checkpoint\n');
    for (const snapshot of place.snapshots) terminal.out(`  ${snapshotLine(snapshot)}\n`);
  }
  return exitCode.ok;
}

async function showAction(asked: Asked): Promise<ExitCode> {
  const { context, environment, directory, job, id, asJson } = asked;
  const snapshot = await readableSnapshot(environment, directory, job, id);
  if (asked.isTables) {
    await showTables(context, environment, snapshot, { asJson, isExact: asked.isExact });
    return exitCode.ok;
  }
  const { manifest } = snapshot;
  context.terminal.out(
    asJson ? `${JSON.stringify(manifest, null, 2)}\n` : describeManifest(manifest),
  );
  return exitCode.ok;
}

async function verifyAction(asked: Asked): Promise<ExitCode> {
  const { context, environment, directory, id } = asked;
  const place = await findPlace(environment, directory, asked.job);
  const wanted = id === undefined ? place.snapshots : [chosenSnapshot(place, directory, id)];
  return verifyCheckpoints(context, environment, place, wanted, asked.asJson);
}

// Shows only, unless told to delete. Then it takes the job over first: nobody but the owner of the
// log knows what is in use.
async function collectAction(asked: Asked): Promise<ExitCode> {
  const { context, environment } = asked;
  const purpose = asked.isDelete ? 'write' : 'read';
  const place = await findPlace(environment, asked.directory, asked.job, purpose);
  const { storage, jobName, log, snapshots } = place;
  if (log === null) throw usage(command, 'a savepoint holds nothing that could be collected');
  const kept = new Map<string, Manifest>();
  for (const { name, manifest, problem } of snapshots) {
    if (manifest === null) throw problem; // nobody knows what it needs
    kept.set(name, manifest);
  }
  const objects = await storage.list('');
  const sizes = new Map(objects.map(({ name, sizeBytes }) => [name, sizeBytes]));
  const verdicts = explainFiles([...sizes.keys()], kept, () => false);
  const garbage = verdicts.filter(({ verdict }) => verdict === 'garbage');
  let deleted: readonly string[] | null = null;
  if (asked.isDelete && garbage.length > 0) {
    refuseIfRunning(asked, jobName);
    ({ deleted } = await collectGarbage(storage, environment, jobName));
  }
  const names = new Set(deleted ?? []);
  const shown = verdicts.filter(
    ({ name, verdict }) =>
      asked.isAll || (deleted === null ? verdict === 'garbage' : names.has(name)),
  );
  if (asked.asJson) {
    const files = shown.map(({ name, verdict, why }) => {
      return { name, verdict, why, sizeBytes: sizes.get(name) };
    });
    const data = { job: jobName, deleted: deleted !== null, files };
    context.terminal.out(`${JSON.stringify(data)}\n`);
    return exitCode.ok;
  }
  context.terminal.out(collectionText(shown, deleted, sizes));
  const owner = verdicts.find(({ why }) => why.startsWith('sign of life'));
  if (owner !== undefined && deleted === null && garbage.length > 0) {
    context.terminal.out(`${owner.why} is there: if it runs, it may use some of them\n`);
  }
  return exitCode.ok;
}

function collectionText(
  shown: readonly FileVerdict[],
  deleted: readonly string[] | null,
  sizes: ReadonlyMap<string, number>,
): string {
  const lines = shown.map(({ name, why }) => {
    return `${name}  ${formatBytes(sizes.get(name) ?? 0)}  ${why}`;
  });
  const useless =
    deleted ?? shown.filter(({ verdict }) => verdict === 'garbage').map(({ name }) => name);
  const bytes = useless.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const done = deleted === null ? 'could be deleted (--delete)' : 'deleted';
  const text = useless.length === 0 ? 'nothing to delete' : `${formatBytes(bytes)} ${done}`;
  return `${[...lines, `${useless.length} of ${sizes.size} files: ${text}`].join('\n')}\n`;
}

function refuseIfRunning({ context, directory }: Asked, jobName: string): void {
  const { path } = splitPlace(directory);
  const isSame = (place: string): boolean => splitPlace(place).path === path;
  const running = registeredJobs(context.runtimeDirectory).find(
    ({ job, checkpointDirectory }) =>
      job === jobName && [checkpointDirectory, placeBelow(checkpointDirectory, job)].some(isSame),
  );
  if (running === undefined) return;
  throw usage(
    command,
    `job "${jobName}" is running (pid ${running.pid}) and cleans up by itself; stop it first`,
  );
}

function snapshotData({ name, manifest, problem, slot }: FoundSnapshot): object {
  const common = { manifest: name, checkpointId: slot?.checkpointId ?? manifest?.checkpointId };
  if (manifest === null) return { ...common, problem: errorData(problem).message };
  const { kind, triggeredAtMs, completedAtMs } = manifest;
  const sizeBytes = sizeBytesOf(manifest);
  const figures = manifest.figures ?? null;
  return { ...common, kind, triggeredAtMs, completedAtMs, sizeBytes, figures };
}

function snapshotLine({ name, manifest, problem }: FoundSnapshot): string {
  if (manifest === null) return `${name}  DAMAGED: ${errorData(problem).message}`;
  const { kind, checkpointId, triggeredAtMs, completedAtMs } = manifest;
  const took = formatDuration(completedAtMs - triggeredAtMs);
  const count = filesOf(manifest).size;
  const files = count === 1 ? '1 file' : `${count} files`;
  const where = count === 0 && inlineBytesOf(manifest) > 0 ? 'the manifest' : files;
  const { figures } = manifest;
  const added = (figures?.writtenBytes ?? 0) + (figures?.mergedBytes ?? 0);
  const news = figures === undefined ? '' : ` (${formatBytes(added)} new)`;
  const size = `${formatBytes(sizeBytesOf(manifest))} in ${where}${news}`;
  return `${kind} ${checkpointId}  ${formatTime(completedAtMs)} UTC  ${took}  ${size}  ${name}`;
}
