// One process that tries seeds on an engine with one bug in it, or with none. Its parent sends a
// HuntOrder and gets a HuntReport; it ends by itself.
import { ENGINE_MUTANTS } from './engine-mutants.ts';
import { loadWith } from './load-mutant.ts';
import { type Trial, trials } from './trials.ts';

/** What to try. */
export interface HuntOrder {
  /** null: the engine as it is. */
  readonly mutant: string | null;
  /** At most so many seeds; the first one with a problem ends the hunt. */
  readonly seeds: number;
  /** Exactly these, all of them. */
  readonly trials?: readonly Trial[];
}

/** A seed that found something. */
export interface Catch extends Trial {
  /** Which checks found it. */
  readonly oracles: string;
  readonly message: string;
}

/** What came of it. */
export interface HuntReport {
  readonly tried: number;
  readonly catches: readonly Catch[];
}

let current: Trial = { job: '', seed: 0 };

async function hunt(order: HuntOrder): Promise<HuntReport> {
  const mutant = ENGINE_MUTANTS.find(({ name }) => name === order.mutant);
  if (mutant !== undefined) loadWith(mutant);
  // Only now: what is imported here has the bug.
  const { SeedRunner } = await import('@millrace/testing/campaign');
  const { PROOF_JOBS } = await import('../proof-jobs.ts');
  const names = PROOF_JOBS.map(({ name }) => name);
  const runner = new SeedRunner();
  const catches: Catch[] = [];
  let tried = 0;
  for (const trial of order.trials ?? trials(names, mutant?.jobs ?? [], order.seeds)) {
    current = trial;
    tried++;
    const job = PROOF_JOBS.find(({ name }) => name === trial.job);
    if (job === undefined) throw new Error(`there is no job "${trial.job}"`);
    const { problems } = await runner.run(job, trial.seed);
    if (problems.length === 0) continue;
    const oracles = [...new Set(problems.map(({ oracle }) => oracle))].join(', ');
    catches.push({ ...trial, oracles, message: problems[0]!.message });
    if (order.trials === undefined) break;
  }
  return { tried, catches };
}

function report(found: HuntReport): void {
  process.send!(found, () => process.exit(0));
}

// The engine has torn the whole process down, or a run without faults was wrong already.
function onCrash(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const oracles = message.includes('without faults') ? 'plain run' : 'process';
  report({ tried: 1, catches: [{ ...current, oracles, message }] });
}

process.once('uncaughtException', onCrash);
process.once('message', (order: HuntOrder) => {
  hunt(order).then(report, onCrash);
});
