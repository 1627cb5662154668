import { usage } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { checkpointsCommand } from './checkpoints-command.ts';
import {
  cancelCommand,
  checkpointCommand,
  listCommand,
  savepointCommand,
  stopCommand,
} from './control-commands.ts';
import { errorReport } from './error-report.ts';
import { exitCode, exitCodeOf, type ExitCode } from './exit-code.ts';
import { helpText } from './help.ts';
import { newCommand } from './new-command.ts';
import { planCommand } from './plan-command.ts';
import { packageVersion } from './package-version.ts';
import { runCommand } from './run-command.ts';
import { simCommand } from './sim-command.ts';

type Command = (context: CommandContext, args: readonly string[]) => Promise<ExitCode>;

const commands: ReadonlyMap<string, Command> = new Map([
  ['run', runCommand],
  ['plan', planCommand],
  ['new', newCommand],
  ['sim', simCommand],
  ['list', listCommand],
  ['checkpoint', checkpointCommand],
  ['checkpoints', checkpointsCommand],
  ['savepoint', savepointCommand],
  ['stop', stopCommand],
  ['cancel', cancelCommand],
  ['help', helpCommand],
]);

/**
 * Carries out one command line.
 *
 * @param args what follows `millrace`
 * @returns the exit code; errors are reported, never thrown
 */
export async function dispatch(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === '--help' || name === '-h') {
      return await helpCommand(context, []);
    }
    if (name === '--version' || name === '-v') {
      context.terminal.out(`${packageVersion()}\n`);
      return exitCode.ok;
    }
    const command = commands.get(name);
    if (command === undefined) throw usage('', `there is no command "${name}"`);
    if (rest.includes('--help') || rest.includes('-h')) return await helpCommand(context, [name]);
    return await command(context, rest);
  } catch (error) {
    context.terminal.error(errorReport(error));
    return exitCodeOf(error);
  }
}

async function helpCommand(context: CommandContext, args: readonly string[]): Promise<ExitCode> {
  const text = helpText(args[0]);
  if (text === null) throw usage('', `there is no command "${args[0]}"`);
  context.terminal.out(text);
  return exitCode.ok;
}
