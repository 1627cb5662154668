// Runs stages of checks and prints what came out: node tools/start.js tools/test.ts STAGE...
//
//   types   tsc over everything
//   style   format and lint
//   tidy    the house rules alone
//   unit    all tests but those below; one process, so it is fast
//   crash   test/recovery again, with a crash at every single step of the simulator
//   e2e     test/e2e: real processes, real kills, packages as npm packs them
//   servers test/servers: storage drivers and jobs against real servers, installed when missing
//   semantics  Flink's rules, case by case
//   demo    the main job, killed and recovered
//   proof   the fault campaign: 10 000 seeds
//   mutants the campaign on engines with deliberate bugs
//
// The last line of standard output is `N passed, N failed`; a stage that is not a set of tests
// counts as one. The exit code is 1 if anything failed.
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Outcome {
  readonly stage: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

const root = join(import.meta.dirname, '..');
const slow = /^test\/e2e\//;
const foreign = /^test\/servers\//;

const stages: Readonly<Record<string, () => Omit<Outcome, 'stage' | 'seconds'>>> = {
  types: () => program('typescript/bin/tsc', ['-p', root]),
  style: () =>
    program('@biomejs/biome/bin/biome', [
      'ci',
      '--assist-enabled=false',
      '--reporter=summary',
      '.',
    ]),
  tidy: () => tests(['tools/tidy.test.ts'], []),
  unit: () =>
    tests(
      testFiles((path) => !slow.test(path) && !foreign.test(path)),
      ['--test-isolation=none'],
    ),
  crash: () =>
    tests(
      testFiles((path) => path.startsWith('test/recovery/')),
      ['--test-concurrency=2'],
      { CRASH_POINTS: 'all', CAMPAIGN_SEEDS: '1000' },
    ),
  semantics: () => node(['test/semantics/run.ts']),
  demo: () => node(['examples/demo/demo.ts']),
  proof: () => node(['test/proof/run.ts', '--seeds', '10000']),
  mutants: () => node(['test/proof/mutants/run.ts']),
  servers: () => {
    const installation = node(['tools/servers/install.ts']);
    if (installation.failed > 0) return installation; // it has said what is missing
    const { passed, failed } = tests(
      testFiles((path) => foreign.test(path)),
      ['--test-concurrency=1'],
    );
    return { passed: passed + installation.passed, failed };
  },
  e2e: () =>
    tests(
      testFiles((path) => slow.test(path)),
      ['--test-concurrency=1'],
    ),
};

function testFiles(wanted: (path: string) => boolean): string[] {
  const patterns = ['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts', 'tools/*.test.ts'];
  return [...new Set(globSync([...patterns, '{examples,benchmarks}/**/*.test.ts'], { cwd: root }))]
    .filter((path) => !path.includes('node_modules') && wanted(path))
    .sort();
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

function program(name: string, args: readonly string[]): Counts {
  return node([join(root, 'node_modules', name), ...args]);
}

/** A program that says by its exit code whether it is content; counts as one. */
function node(args: readonly string[]): Counts {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Counts by the totals that the tap reporter writes at its end. */
function tests(
  files: readonly string[],
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Counts {
  if (files.length === 0) return { passed: 0, failed: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const report = join(folder, 'report.tap');
  const reporters = [
    ...['--test-reporter=dot', '--test-reporter-destination=stdout'],
    ...['--test-reporter=tap', `--test-reporter-destination=${report}`],
  ];
  const args = ['--test', ...options, ...reporters, ...files];
  const env = { ...process.env, ...environment };
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  const text = readFileSync(report, 'utf8');
  rmSync(folder, { recursive: true });
  const sumOf = (name: string): number =>
    Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const failed = sumOf('fail') + sumOf('cancelled');
  // A run that broke off before its totals has failed, whatever it counted.
  return { passed: sumOf('pass'), failed: status !== 0 && failed === 0 ? 1 : failed };
}

function main(names: readonly string[]): void {
  const outcomes: Outcome[] = [];
  for (const stage of names) {
    const run = stages[stage];
    if (run === undefined) throw new Error(`there is no stage ${stage}`);
    console.log(`\n== ${stage}`);
    const start = performance.now();
    outcomes.push({ stage, ...run(), seconds: (performance.now() - start) / 1_000 });
  }
  console.log('');
  for (const { stage, passed, failed, seconds } of outcomes) {
    const verdict = failed === 0 ? 'ok    ' : 'FAILED';
    console.log(`${verdict} ${stage}: ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s`);
  }
  const sum = (of: 'passed' | 'failed'): number => outcomes.reduce((all, one) => all + one[of], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') === 0 ? 0 : 1;
}

main(process.argv.slice(2));
