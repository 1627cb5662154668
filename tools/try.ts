// Makes a project outside the checkout from what npm would publish, without a registry that has
// Millrace: builds the packages, packs them, runs `millrace new`, installs the tarballs in it.
//
//   npm run try -- ../my-job
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

const root = dirname(import.meta.dirname);
/** npm runs us in the checkout; this is where the user is. */
const userFolder = process.env.INIT_CWD ?? process.cwd();
/** The tarballs, in the project: it can be moved and installed again. */
const packagesFolder = 'millrace-packages';

interface ProjectManifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

function run(cwd: string, command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], shell: isWindows });
}

const isWindows = process.platform === 'win32';

/** The folder of the project. @throws Error, with what to write, if it cannot be used */
function projectFolder(): string {
  const given = process.argv[2];
  if (given === undefined) throw new Error('say where: npm run try -- ../my-job');
  const folder = resolve(userFolder, given);
  // Inside it npm would take the project for a part of the workspace.
  if (`${folder}${sep}`.startsWith(`${root}${sep}`)) {
    throw new Error(`${folder} lies in the checkout; say npm run try -- ../${basename(folder)}`);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} is not empty`);
  }
  return folder;
}

/** Packs every package of dist/ into the project. @returns paths in the project by package name */
function packInto(folder: string): Map<string, string> {
  const target = join(folder, packagesFolder);
  mkdirSync(target, { recursive: true });
  const tarballs = new Map<string, string>();
  for (const name of readdirSync(join(root, 'dist'))) {
    const from = join(root, 'dist', name);
    const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    run(from, 'npm', 'pack', '--silent', '--pack-destination', target);
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
    tarballs.set(manifest.name, `file:${packagesFolder}/${file}`);
  }
  return tarballs;
}

/** Points what the project depends on at the tarballs; what they depend on, too. */
function useTarballs(folder: string, tarballs: ReadonlyMap<string, string>): void {
  const path = join(folder, 'package.json');
  const manifest: ProjectManifest = JSON.parse(readFileSync(path, 'utf8'));
  const local = (ranges: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(ranges).map(([name, range]) => [name, tarballs.get(name) ?? range]),
    );
  const core = '@millrace/core'; // the others need it; there is no registry to take it from
  const dependencies = { ...local(manifest.dependencies), [core]: tarballs.get(core)! };
  const devDependencies = { ...local(manifest.devDependencies), ...ownNode() };
  const changed = { ...manifest, dependencies, devDependencies };
  writeFileSync(path, `${JSON.stringify(changed, null, 2)}\n`);
}

/** Node 24 as a dependency, if the user's own Node, which runs npm, is older. */
function ownNode(): Record<string, string> {
  const path = process.env.npm_node_execpath;
  if (path === undefined) return {};
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' });
  if (Number(/^v(\d+)/.exec(version)?.[1]) >= 24) return {};
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return { node: own.devDependencies.node };
}

function main(): void {
  const folder = projectFolder();
  run(root, process.execPath, 'tools/start.js', 'tools/build.ts');
  mkdirSync(dirname(folder), { recursive: true });
  const command = join(root, 'packages', 'millrace', 'bin', 'millrace.js');
  run(dirname(folder), process.execPath, command, 'new', basename(folder));
  useTarballs(folder, packInto(folder));
  run(folder, 'npm', 'install', '--no-audit', '--no-fund');
  const shown = relative(userFolder, folder);
  console.log(`\ntry it:\n\n  cd ${shown}\n  npm start\n  npm test`);
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
