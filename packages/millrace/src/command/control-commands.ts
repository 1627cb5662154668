import { askJob } from '../control/control-client.ts';
import type { StatusReport } from '../control/control-protocol.ts';
import { forgetJob, registeredJobs, type RegisteredJob } from '../control/job-registry.ts';
import { formatBytes } from '../progress/figures.ts';
import { readArguments, usage } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { JobNotFoundError } from './command-errors.ts';
import { formatDuration } from './duration.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { location } from './run-arguments.ts';

const json = { json: { type: 'boolean' } } as const;

/** `millrace list`: the running jobs of this user on this machine. */
export async function listCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values } = readArguments('list', args, [], json);
  const jobs = registeredJobs(context.runtimeDirectory);
  const looked = await Promise.all(
    jobs.map(async (job) => ({ job, status: await statusOf(context, job) })),
  );
  const rows = looked.flatMap(({ job, status }) => (status === 'gone' ? [] : [{ job, status }]));
  if (values.json) {
    const data = rows.map(({ job, status }) => ({ ...job, status: status?.status ?? 'silent' }));
    context.terminal.out(`${JSON.stringify(data)}\n`);
    return exitCode.ok;
  }
  if (rows.length === 0) context.terminal.out('no running jobs\n');
  for (const { job, status } of rows) {
    const age = formatDuration(context.nowMs() - job.startedAtMs);
    const checkpoint = status?.lastCheckpoint ?? null;
    const last =
      checkpoint === null ? 'no checkpoint yet' : `checkpoint ${checkpoint.checkpointId}`;
    const said = status === null ? 'does not answer' : `${status.status}  ${last}`;
    context.terminal.out(`${job.job}  pid ${job.pid}  ${age}  ${said}  ${job.file}\n`);
  }
  return exitCode.ok;
}

/** `millrace checkpoint [job]` */
export async function checkpointCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('checkpoint', args, ['[job]'], json);
  const job = findJob(context, positionals[0]);
  const done = await askJob(job, { command: 'checkpoint' });
  const took = formatDuration(done.durationMs);
  const size = formatBytes(done.writtenBytes);
  const text = `checkpoint ${done.checkpointId} complete in ${took}, ${size}`;
  answer(context, values.json, done, text);
  return exitCode.ok;
}

/** `millrace savepoint <directory> [job]` */
export async function savepointCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('savepoint', args, ['directory', '[job]'], json);
  const directory = location(positionals[0]!, context.workingDirectory);
  const job = findJob(context, positionals[1]);
  const done = await askJob(job, { command: 'savepoint', directory });
  answer(context, values.json, done, `savepoint complete: ${done.path}`);
  return exitCode.ok;
}

/** `millrace stop [job] [--drain] [--savepoint DIRECTORY]` */
export async function stopCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('stop', args, ['[job]'], {
    ...json,
    drain: { type: 'boolean' },
    savepoint: { type: 'string' },
  });
  const job = findJob(context, positionals[0]);
  const directory = values.savepoint;
  const result = await askJob(job, {
    command: 'stop',
    drain: values.drain ?? false,
    savepointDirectory:
      directory === undefined ? null : location(directory, context.workingDirectory),
  });
  const last = result.lastCheckpoint;
  const at = last === null ? 'without a checkpoint' : `at ${last.kind} ${last.checkpointId}`;
  const place = last?.kind === 'savepoint' ? `: ${last.path}` : '';
  answer(context, values.json, result, `${job.job} ${result.status} ${at}${place}`);
  return exitCode.ok;
}

/** `millrace cancel [job]` */
export async function cancelCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('cancel', args, ['[job]'], json);
  const job = findJob(context, positionals[0]);
  await askJob(job, { command: 'cancel' });
  answer(context, values.json, { status: 'cancelled' }, `${job.job} cancelled`);
  return exitCode.ok;
}

/**
 * The running job meant by a name or process id; the only one if nothing is given.
 *
 * @throws JobNotFoundError if there is none
 * @throws UsageError if more than one fits
 */
export function findJob(context: CommandContext, wanted: string | undefined): RegisteredJob {
  const all = registeredJobs(context.runtimeDirectory);
  const fitting =
    wanted === undefined
      ? all
      : all.filter(({ job, pid }) => job === wanted || String(pid) === wanted);
  if (fitting.length === 1) return fitting[0]!;
  const listed = (jobs: readonly RegisteredJob[]): string =>
    jobs.map(({ job, pid }) => `${job} (pid ${pid})`).join(', ');
  if (fitting.length > 1) {
    throw usage('', `more than one job is running, say which by name or pid: ${listed(fitting)}`);
  }
  const message = wanted === undefined ? 'no job is running' : `no job "${wanted}" is running here`;
  const hint =
    all.length === 0
      ? 'Jobs are seen by the user who runs them, on the same machine.'
      : `Running: ${listed(all)}.`;
  throw new JobNotFoundError(message, { job: wanted ?? null, isGone: false }, { hint });
}

/** null: it lives and does not answer. */
async function statusOf(
  context: CommandContext,
  job: RegisteredJob,
): Promise<StatusReport | 'gone' | null> {
  try {
    return await askJob(job, { command: 'status' });
  } catch (error) {
    if (!(error instanceof JobNotFoundError)) throw error;
    if (!error.details.isGone) return null;
    forgetJob(context.runtimeDirectory, job);
    return 'gone';
  }
}

function answer(
  context: CommandContext,
  asJson: boolean | undefined,
  data: object,
  text: string,
): void {
  context.terminal.out(`${asJson ? JSON.stringify(data) : text}\n`);
}
