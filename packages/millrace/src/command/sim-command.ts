import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readArguments, wholeNumber } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { TestingMissingError } from './command-errors.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { loadJob } from './job-file.ts';
import { readParameters } from './run-arguments.ts';

const USUAL_SEEDS = 20;

/**
 * `millrace sim <job.ts>`: runs the job unchanged in a virtual world, with crashes and faults drawn
 * from a seed, and compares what it commits with a run without them.
 *
 * @throws UsageError, JobModuleError, TestingMissingError, and what the job fails with by itself
 */
export async function simCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments('sim', args, ['job.ts'], {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    input: { type: 'string', multiple: true },
    param: { type: 'string', multiple: true },
    'no-shrink': { type: 'boolean' },
  });
  const firstSeed = wholeNumber('sim', 'seed', values.seed, 0) ?? 1;
  const usualSeeds = values.seed === undefined ? USUAL_SEEDS : 1;
  const seeds = wholeNumber('sim', 'seeds', values.seeds, 1) ?? usualSeeds;
  const job = await loadJob(resolve(context.workingDirectory, positionals[0]!));
  const { campaignJobOf, rehearse, replaySeed, SeedRunner } = await loadTesting();
  const options = {
    input: inputFiles(values.input ?? [], context.workingDirectory),
    parameters: readParameters('sim', values.param ?? []),
  };
  const campaignJob = campaignJobOf(job, options, await rehearse(job, options));
  const runner = new SeedRunner();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const replay = await replaySeed(runner, campaignJob, seed, null, values['no-shrink'] !== true);
    if (seeds === 1 || !replay.isGood) context.terminal.out(`${replay.text}\n`);
    if (replay.isGood) continue;
    context.terminal.out(`\nagain: ${again(positionals[0]!, values, seed)}\n`);
    return exitCode.failed;
  }
  const { committed } = await runner.baselineOf(campaignJob);
  context.terminal.out(
    `seeds ${firstSeed} to ${firstSeed + seeds - 1}: ` +
      `each committed the same ${committed.length} records as a run without faults\n`,
  );
  return exitCode.ok;
}

function again(
  jobFile: string,
  given: { readonly input?: readonly string[]; readonly param?: readonly string[] },
  seed: number,
): string {
  const inputs = (given.input ?? []).map((path) => ` --input ${path}`).join('');
  const parameters = (given.param ?? []).map((pair) => ` --param ${pair}`).join('');
  return `millrace sim ${jobFile}${inputs}${parameters} --seed ${seed}`;
}

async function loadTesting(): Promise<typeof import('@millrace/testing/campaign')> {
  try {
    return await import('@millrace/testing/campaign');
  } catch (cause) {
    throw new TestingMissingError(
      'millrace sim needs the package @millrace/testing',
      {},
      { cause, hint: 'Install it: npm install --save-dev @millrace/testing' },
    );
  }
}

type InputFiles = Record<string, readonly string[] | Uint8Array>;

/** Real files for the virtual disk: by the path as it was given, and by the absolute one. */
function inputFiles(paths: readonly string[], workingDirectory: string): InputFiles {
  const files: InputFiles = {};
  const add = (path: string): void => {
    const real = resolve(workingDirectory, path);
    if (statSync(real).isDirectory()) {
      for (const name of readdirSync(real)) add(join(path, name));
      return;
    }
    const content = contentOf(readFileSync(real));
    files[path.startsWith('/') ? path : `/${path}`] = content;
    files[real] = content;
  };
  for (const path of paths) add(path);
  return files;
}

// Lines, if it is text: then a smaller case can have fewer of them.
function contentOf(bytes: Buffer): readonly string[] | Uint8Array {
  if (!isUtf8(bytes) || bytes.at(-1) !== 10 || bytes.includes(13)) return new Uint8Array(bytes);
  return bytes.toString('utf8').slice(0, -1).split('\n');
}
