// Flink to measure against: node benchmarks/peers/flink/install.ts
//
// Maven fetches Flink's jars (pinned in pom.xml) and builds the jobs beside them, into a folder of
// the user's cache (`MILLRACE_BENCH_CACHE`). Some minutes the first time, nothing if it is there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '2.3.0';

/** Where Flink lies. */
export interface FlinkInstallation {
  readonly version: string;
  /** Class path: Flink's jars, our jobs, the logging configuration. */
  readonly classPath: string;
  /** Jars of Flink alone, and the one of our jobs: for a cluster, which loads jobs by itself. */
  readonly library: string;
  readonly jobs: string;
}

/** The folder of what benchmarks keep between runs. */
export function benchmarkCache(): string {
  const given = process.env.MILLRACE_BENCH_CACHE;
  if (given !== undefined && given !== '') return given;
  return join(homedir(), '.cache', 'millrace-bench');
}

/** Installs what is missing. Throws if Maven or Java is, or if Maven fails. */
export function installFlink(): FlinkInstallation {
  const folder = join(benchmarkCache(), `flink-${VERSION}`);
  const library = join(folder, 'lib');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'lib.ok'))) {
    rmSync(library, { recursive: true, force: true });
    const target = `-DoutputDirectory=${library}`;
    maven(['dependency:copy-dependencies', '-DincludeScope=runtime', target]);
    cpSync(join(import.meta.dirname, 'pom.xml'), join(folder, 'lib.ok'));
  }
  const sources = globSync('src/**/*.{java,properties}', { cwd: import.meta.dirname }).sort();
  const hash = createHash('sha256');
  for (const name of ['pom.xml', ...sources])
    hash.update(readFileSync(join(import.meta.dirname, name)));
  const jobs = join(folder, `jobs-${hash.digest('hex').slice(0, 12)}.jar`);
  if (!existsSync(jobs)) {
    const build = join(folder, 'build');
    maven(['package', `-DbuildDirectory=${build}`]);
    cpSync(join(build, 'flink-bench.jar'), jobs);
  }
  return { version: VERSION, classPath: `${jobs}:${join(library, '*')}`, library, jobs };
}

function maven(args: readonly string[]): void {
  process.stderr.write(`mvn ${args.join(' ')}\n`);
  const { status, error } = spawnSync('mvn', ['-q', '-B', ...args], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    throw new Error(`mvn failed (${error?.message ?? status}): is Maven installed?`);
}

if (process.argv[1] === import.meta.filename) console.log(installFlink());
