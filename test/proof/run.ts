// The proof: runs jobs under faults drawn from seeds, and compares with runs without faults.
//
//   npm run proof -- --seeds 10000 --first-seed 1     so many seeds that count, on all cores
//   npm run proof -- --seed 17 --job dedup --trace    one seed again: what happened, and smaller
//   npm run proof -- --job dedup --plan '{...}'       a plan that a shrinker printed
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { replay } from './replay.ts';
import type { SeedReport, WorkOrder } from './seed-report.ts';
import { Totals } from './totals.ts';

const CHUNK = 10;
const PROGRESS_EVERY = 500;
/** So many failing seeds are shown; more do not help. */
const SHOWN_FAILURES = 20;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    'first-seed': { type: 'string', default: '1' },
    job: { type: 'string' },
    seed: { type: 'string' },
    plan: { type: 'string' },
    trace: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});
const jobName = values.job ?? null;

if (values.seed !== undefined || values.plan !== undefined) {
  const isGood = await replay(jobName, Number(values.seed ?? 0), values.plan, values.trace);
  process.exitCode = isGood ? 0 : 1;
} else {
  const totals = await runAll(Number(values.seeds), Number(values['first-seed']));
  console.log(totals.text());
  process.exitCode = totals.differences === 0 ? 0 : 1;
}

async function runAll(wanted: number, firstSeed: number): Promise<Totals> {
  const totals = new Totals();
  const workers = Math.min(Number(values.workers), Math.ceil(wanted / CHUNK));
  let nextSeed = firstSeed;
  let underWay = 0;
  // Seeds that do not count are made up for by the next ones.
  const nextChunk = (): number[] => {
    const missing = wanted - totals.counted - underWay;
    const seeds = Array.from({ length: Math.max(0, Math.min(CHUNK, missing)) }, () => nextSeed++);
    underWay += seeds.length;
    return seeds;
  };
  const onReport = (report: SeedReport): void => {
    underWay--;
    totals.add(report);
    tellFailure(report, totals.differences);
    if (totals.counted % PROGRESS_EVERY === 0 && report.uncounted === null) {
      console.log(`${totals.counted} seeds`);
    }
  };
  const running = Array.from({ length: workers }, () => runWorker(nextChunk, onReport));
  await Promise.all(running);
  return totals;
}

function runWorker(nextChunk: () => number[], onReport: (report: SeedReport) => void) {
  const register = new URL('./edges/register.ts', import.meta.url).href;
  const worker = fork(new URL('./worker.ts', import.meta.url), {
    execArgv: ['--import', register],
  });
  return new Promise<void>((resolve, reject) => {
    const send = (): void => {
      const seeds = nextChunk();
      const order: WorkOrder = { seeds, jobName };
      if (seeds.length > 0) worker.send(order);
      else worker.disconnect();
    };
    worker.on('message', (message: SeedReport | 'idle') => {
      if (message === 'idle') send();
      else onReport(message);
    });
    worker.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a process of the proof ended with ${code}`));
    });
    send();
  });
}

function tellFailure({ seed, job, problems }: SeedReport, failures: number): void {
  const first = problems[0];
  if (first === undefined || failures > SHOWN_FAILURES) return;
  console.log(`seed ${seed}, job ${job}: ${first.oracle}: ${first.message.slice(0, 500)}`);
  console.log(`  npm run proof -- --seed ${seed} --job ${job} --trace`);
}
