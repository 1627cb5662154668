// Makes what is published: dist/<package>/ with JavaScript, declarations and a package.json that
// points at them. Sources run as they are in the checkout; Node does not strip types below
// node_modules, so a published package must be JavaScript.
//
//   node tools/start.js tools/build.ts
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const target = join(root, 'dist');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly imports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Packages of the workspace, each after those it depends on. */
function packagesInOrder(): Package[] {
  const all = readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(join(root, 'packages', folder)) }));
  const ordered: Package[] = [];
  const add = (one: Package): void => {
    if (ordered.includes(one)) return;
    for (const other of all)
      if (other.manifest.name in (one.manifest.dependencies ?? {})) add(other);
    ordered.push(one);
  };
  for (const one of all) add(one);
  return ordered;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Compiles one package against the declarations of those built before; errors are printed. */
function compile({ folder }: Package, built: readonly Package[]): boolean {
  const paths: Record<string, string[]> = {};
  for (const other of built) {
    for (const [subPath, source] of Object.entries(other.manifest.exports ?? {})) {
      if (!source.endsWith('.ts')) continue;
      const name = other.manifest.name + subPath.slice(1);
      paths[name] = [join(target, other.folder, builtPath(source, '.d.ts'))];
    }
  }
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(root, 'packages', folder, 'src'),
      outDir: join(target, folder, 'dist'),
      paths,
    },
    include: [join(root, 'packages', folder, 'src')],
    exclude: [join(root, 'packages', folder, 'src', '**', '*.test.ts')],
  };
  const path = join(target, `tsconfig.${folder}.json`);
  writeFileSync(path, JSON.stringify(config));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', path], { stdio: 'inherit' });
  rmSync(path);
  return status === 0;
}

/**
 * The compiler rewrites imports in JavaScript only: declarations keep `.ts`, and so do modules
 * addressed by `new URL('./worker.ts', import.meta.url)`.
 */
function finishExtensions({ folder }: Package): void {
  const top = join(target, folder, 'dist');
  for (const name of globSync('**/*.{js,d.ts}', { cwd: top })) {
    const path = join(top, name);
    const text = readFileSync(path, 'utf8');
    const finished = name.endsWith('.js')
      ? text.replace(/(new URL\(\s*['"]\.[^'"]*)\.ts(['"],\s*import\.meta\.url)/g, '$1.js$2')
      : text.replace(/((?:\bfrom|\bimport\(|\bimport)\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2');
    if (finished !== text) writeFileSync(path, finished);
  }
}

/** Everything beside the code, and the package.json of the published package. */
function stage({ folder, manifest }: Package, names: ReadonlyMap<string, string>): void {
  const from = join(root, 'packages', folder);
  const to = join(target, folder);
  for (const part of ['bin', 'templates', 'README.md']) {
    if (existsSync(join(from, part))) cpSync(join(from, part), join(to, part), { recursive: true });
  }
  // The README of the project is that of the package people install.
  if (folder === 'millrace' && existsSync(join(root, 'README.md'))) {
    cpSync(join(root, 'README.md'), join(to, 'README.md'));
  }
  // `millrace help errors` reads it.
  if (folder === 'millrace') {
    cpSync(join(root, 'docs', 'reference', 'errors.md'), join(to, 'docs', 'errors.md'));
  }
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  const { exports = {}, imports, dependencies = {}, ...rest } = manifest;
  const published = {
    ...rest,
    type: 'module',
    exports: mapValues(exports, (source) =>
      source.endsWith('.ts')
        ? { types: builtPath(source, '.d.ts'), default: builtPath(source, '.js') }
        : source,
    ),
    ...(imports ? { imports: mapValues(imports, (source) => builtPath(source, '.js')) } : {}),
    files: ['bin', 'dist', 'docs', 'templates'].filter((part) => existsSync(join(to, part))),
    // Packages of ours fit each other in one version only.
    dependencies: mapValues(dependencies, (range, name) => names.get(name) ?? range),
  };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

function builtPath(source: string, extension: string): string {
  return source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, extension);
}

function mapValues<V, W>(
  record: Readonly<Record<string, V>>,
  change: (value: V, name: string) => W,
): Record<string, W> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, change(value, name)]),
  );
}

function build(): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const packages = packagesInOrder();
  const versions = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]));
  for (const [index, one] of packages.entries()) {
    if (!compile(one, packages.slice(0, index))) {
      console.error(`${one.manifest.name} does not compile`);
      process.exitCode = 1;
      return;
    }
    finishExtensions(one);
    stage(one, versions);
    console.log(`built ${one.manifest.name} ${one.manifest.version} in dist/${one.folder}`);
  }
}

build();
