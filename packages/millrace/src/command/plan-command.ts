import { resolve } from 'node:path';
import { planJob, planOf, planText } from '@millrace/core';
import { readArguments, wholeNumber } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { loadJob } from './job-file.ts';
import { readParameters } from './run-arguments.ts';

/**
 * `millrace plan <job.ts>`: builds the job's graph and shows its chains; nothing is run.
 *
 * @throws UsageError, JobModuleError, and what building and planning the job throw
 */
export async function planCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('plan', args, ['job.ts'], {
    param: { type: 'string', multiple: true },
    parallelism: { type: 'string' },
    'max-parallelism': { type: 'string' },
    json: { type: 'boolean' },
  });
  const parallelism = wholeNumber('plan', 'parallelism', values.parallelism, 1);
  const maxParallelism = wholeNumber('plan', 'max-parallelism', values['max-parallelism'], 1);
  const job = await loadJob(resolve(context.workingDirectory, positionals[0]!));
  const graph = planJob(job.build(readParameters('plan', values.param ?? [])), {
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
  });
  const plan = planOf(graph);
  context.terminal.out(values.json ? `${JSON.stringify(plan, null, 2)}\n` : planText(plan));
  return exitCode.ok;
}
