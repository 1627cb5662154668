// Tries the campaign on an engine with deliberate bugs: each has to be found.
//
//   npm run proof:mutants -- [--only NAME] [--seeds 2000] [--seconds 240] [--json FILE]
//
// The last line is `caught=K of N`; the exit code is 0 if all are caught. A seed that fails on the
// engine as it is catches nothing.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ENGINE_MUTANTS } from './engine-mutants.ts';
import type { Catch } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { startHunt } from './start-hunt.ts';

interface Outcome {
  readonly mutant: string;
  readonly breaks: string;
  /** null: it has survived. */
  readonly caught: Catch | null;
  /** Seeds tried; null: the time was over. */
  readonly tried: number | null;
  readonly seconds: number;
}

const PROCESSES = 2;
/** For all seeds that caught something, on the engine as it is. */
const CONTROL_MS = 600_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seeds: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '240' },
    json: { type: 'string' },
  },
});
const seeds = Number(values.seeds);
const limitMs = Number(values.seconds) * 1_000;
const chosen = ENGINE_MUTANTS.filter(
  ({ name }) => values.only === undefined || values.only.includes(name),
);
if (chosen.length === 0) throw new Error(`there is no mutant "${values.only}"`);

async function tryMutant({ name, breaks }: Mutant): Promise<Outcome> {
  const start = performance.now();
  const found = await startHunt({ mutant: name, seeds }, limitMs);
  const seconds = (performance.now() - start) / 1_000;
  const caught = found?.catches[0] ?? null;
  const outcome = { mutant: name, breaks, caught, tried: found?.tried ?? null, seconds };
  console.log(lineOf(outcome));
  return outcome;
}

function lineOf({ mutant, caught, tried, seconds }: Outcome): string {
  const how =
    caught === null
      ? `SURVIVED ${tried === null ? 'until the time was over' : `${tried} seeds`}`
      : `${caught.oracles.padEnd(16)} ${caught.job.padEnd(22)} seed ${caught.seed}`;
  return `${mutant.padEnd(32)} ${how.padEnd(50)} ${seconds.toFixed(1).padStart(6)} s`;
}

async function tryAll(): Promise<Outcome[]> {
  const left = [...chosen];
  const outcomes: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      outcomes.push(await tryMutant(next));
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return outcomes.sort((a, b) => a.mutant.localeCompare(b.mutant));
}

/** Seeds that find something on the engine as it is: then the bug is not what they found. */
async function falseCatches(outcomes: readonly Outcome[]): Promise<readonly Catch[]> {
  const unique = new Map<string, Catch>();
  for (const { caught } of outcomes) {
    if (caught !== null && caught.job !== '') unique.set(`${caught.job} ${caught.seed}`, caught);
  }
  const all = [...unique.values()];
  const shares = Array.from({ length: PROCESSES }, (_, i) =>
    all.filter((_, index) => index % PROCESSES === i),
  );
  const reports = await Promise.all(
    shares.map((trials) => startHunt({ mutant: null, seeds: 0, trials }, CONTROL_MS)),
  );
  return reports.flatMap((report) => {
    if (report === null) throw new Error('the engine as it is took too long');
    return report.catches;
  });
}

const outcomes = await tryAll();
const wrong = await falseCatches(outcomes);
for (const { job, seed, oracles, message } of wrong) {
  console.log(`NO CATCH: seed ${seed} of ${job} fails without a bug (${oracles}): ${message}`);
}
const caught = outcomes.filter(
  (outcome) =>
    outcome.caught !== null &&
    !wrong.some(({ job, seed }) => job === outcome.caught!.job && seed === outcome.caught!.seed),
);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(outcomes, null, 1)}\n`);
console.log(`caught=${caught.length} of ${outcomes.length}`);
process.exitCode = caught.length === outcomes.length ? 0 : 1;
