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
import { errorCataloguePath, errorCodes, errorSection } from './error-catalogue.ts';
import { exitCode, exitCodeOf, type ExitCode } from './exit-code.ts';
import { helpText } from './help.ts';
import { nearestWord } from './nearest-word.ts';
import { newCommand } from './new-command.ts';
import { planCommand } from './plan-command.ts';
import { packageVersion } from './package-version.ts';
import { runCommand } from './run-command.ts';
import { simCommand } from './sim-command.ts';
import { stateCommand } from './state-command.ts';

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
  ['state', stateCommand],
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
    if (command === undefined) throw usage('', noSuchCommand(name));
    if (rest.includes('--help') || rest.includes('-h')) return await helpCommand(context, [name]);
    return await command(context, rest);
  } catch (error) {
    context.terminal.error(errorReport(error));
    return exitCodeOf(error);
  }
}

async function helpCommand(context: CommandContext, args: readonly string[]): Promise<ExitCode> {
  if (args[0] === 'errors') return helpOnErrors(context, args[1]);
  const text = helpText(args[0]);
  if (text === null) throw usage('', noSuchCommand(args[0]!));
  context.terminal.out(text);
  return exitCode.ok;
}

function noSuchCommand(name: string): string {
  const meant = nearestWord(name, commands.keys());
  return `there is no command "${name}"${meant === null ? '' : `; did you mean "${meant}"?`}`;
}

/** `millrace help errors [CODE]`: the section of the reference, or all codes. */
function helpOnErrors({ terminal }: CommandContext, code: string | undefined): ExitCode {
  if (code === undefined) {
    terminal.out(`${errorCodes().join('\n')}\n\nall of it: ${errorCataloguePath()}\n`);
    return exitCode.ok;
  }
  const wanted = code.toUpperCase();
  const section = errorSection(wanted);
  if (section === null) {
    const meant = nearestWord(wanted, errorCodes());
    const more = meant === null ? '' : `; did you mean ${meant}?`;
    throw usage('errors', `there is no error with the code "${code}"${more}`);
  }
  terminal.out(section);
  return exitCode.ok;
}
