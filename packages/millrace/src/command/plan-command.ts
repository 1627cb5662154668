import { resolve } from 'node:path';
import { type JobDefinition, planJob, planOf, planText } from '@millrace/core';
import {
  type Manifest,
  nodeEnvironment,
  placeBelow,
  planRestoreOf,
  type RestorePlanOptions,
  type StateChange,
} from '@millrace/core/checkpoint';
import { readableSnapshot } from '../checkpoints/chosen-snapshot.ts';
import { restoreData, restoreText } from '../checkpoints/restore-summary.ts';
import { readArguments, wholeNumber } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { defaultCheckpointDirectory, loadJob } from './job-file.ts';
import { location, readParameters } from './run-arguments.ts';

/**
 * `millrace plan <job.ts>`: builds the job's graph and shows its chains; nothing is run. With
 * `--from` also what would become of each state of a checkpoint.
 *
 * @returns `restoreRefused` if the job cannot be restored from it
 * @throws UsageError, JobModuleError, CheckpointPlaceError, what building and planning the job
 *   throw, and the errors of damaged manifests
 */
export async function planCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('plan', args, ['job.ts'], {
    param: { type: 'string', multiple: true },
    parallelism: { type: 'string' },
    'max-parallelism': { type: 'string' },
    from: { type: 'string' },
    'checkpoint-dir': { type: 'string' },
    'allow-dropped-state': { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const parallelism = wholeNumber('plan', 'parallelism', values.parallelism, 1);
  const maxParallelism = wholeNumber('plan', 'max-parallelism', values['max-parallelism'], 1);
  const file = resolve(context.workingDirectory, positionals[0]!);
  const job = await loadJob(file);
  const options: RestorePlanOptions = {
    parameters: readParameters('plan', values.param ?? []),
    allowDroppedState: values['allow-dropped-state'] ?? false,
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
  };
  const graph = planJob(job.build(options.parameters), {
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
  });
  const plan = planOf(graph);
  if (values.from === undefined) {
    context.terminal.out(values.json ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
    return exitCode.ok;
  }
  const directory = values['checkpoint-dir'] ?? defaultCheckpointDirectory(file);
  const from =
    values.from === 'latest'
      ? placeBelow(location(directory, context.workingDirectory), job.name)
      : location(values.from, context.workingDirectory);
  const { manifest, changes } = await restoreOf(job, from, options);
  if (values.json) {
    const restore = restoreData(manifest, changes);
    context.terminal.out(`${JSON.stringify({ ...plan, restore }, null, 2)}\n`);
  } else {
    context.terminal.out(`${planText(plan)}\n${restoreText(manifest, changes)}`);
  }
  const isRefused = changes.some(({ change }) => change === 'refused');
  return isRefused ? exitCode.restoreRefused : exitCode.ok;
}

async function restoreOf(
  job: JobDefinition,
  from: string,
  options: RestorePlanOptions,
): Promise<{ readonly manifest: Manifest; readonly changes: readonly StateChange[] }> {
  const environment = nodeEnvironment();
  try {
    const { manifest } = await readableSnapshot(environment, from, undefined, undefined);
    return { manifest, changes: planRestoreOf(job, manifest, options) };
  } finally {
    await environment.executor.close();
  }
}
