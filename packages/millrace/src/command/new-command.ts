import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readArguments, usage } from './arguments.ts';
import type { CommandContext } from './command-context.ts';
import { ProjectFolderError } from './command-errors.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { shownPath } from './job-file.ts';
import { packageRoot, packageVersion } from './package-version.ts';

/**
 * `millrace new <name>`: copies templates/project, with the project's name and our version put in.
 *
 * @throws ProjectFolderError if the folder is there and not empty
 */
export async function newCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { positionals } = readArguments('new', args, ['name'], {});
  const folder = resolve(context.workingDirectory, positionals[0]!);
  const name = basename(folder);
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw usage('new', `"${name}" cannot be a package's name: lower case, digits, - . _`);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new ProjectFolderError(
      `${folder} is not empty`,
      { folder },
      { hint: 'Choose another name, or empty the folder.' },
    );
  }
  for (const path of projectFiles()) {
    const text = readFileSync(join(packageRoot, 'templates', 'project', path), 'utf8');
    const target = join(folder, targetName(path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      text.replaceAll('{{name}}', name).replaceAll('{{version}}', packageVersion()),
    );
  }
  const shown = shownPath(folder, context.workingDirectory);
  context.terminal.out(
    `made ${shown}\n\n  cd ${shown}\n  npm install\n` +
      '  npm start     runs the job\n  npm test      tests it\n',
  );
  return exitCode.ok;
}

/** Paths in the template, relative. */
function projectFiles(): string[] {
  const top = join(packageRoot, 'templates', 'project');
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1));
}

/**
 * npm does not publish a `.gitignore` and reads every package.json, so both are stored with `_`.
 */
function targetName(path: string): string {
  return path.replace(/(^|[\\/])_(gitignore|package\.json)$/, (_, before, name) =>
    name === 'gitignore' ? `${before}.gitignore` : `${before}package.json`,
  );
}
