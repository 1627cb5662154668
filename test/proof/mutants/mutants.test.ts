// Goal: the campaign finds the bugs that matter. Method: bugs are put into the engine one by one;
// here a few that show at once. All of them: `npm run proof:mutants`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENGINE_MUTANTS } from './engine-mutants.ts';
import { PACKAGES } from './load-mutant.ts';
import { type Mutant, mutate } from './mutant.ts';
import { startHunt } from './start-hunt.ts';

test('every mutant has a name of its own and fits the engine', () => {
  assert.equal(new Set(ENGINE_MUTANTS.map(({ name }) => name)).size, ENGINE_MUTANTS.length);
  const misfits = ENGINE_MUTANTS.flatMap((mutant) =>
    [...new Set(mutant.edits.map(({ file }) => file))].flatMap((file) => misfit(mutant, file)),
  );
  assert.deepEqual(misfits, []);
});

test('docs/internals/mutants.md names every mutant and none that is gone', () => {
  const page = readFileSync(join(PACKAGES, '../docs/internals/mutants.md'), 'utf8');
  const table = page.slice(page.indexOf('## What caught them'), page.indexOf('## What survived'));
  const named = [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(named.sort(), ENGINE_MUTANTS.map(({ name }) => name).sort());
});

function misfit(mutant: Mutant, file: string): string[] {
  const text = readFileSync(join(PACKAGES, file), 'utf8');
  try {
    return mutate(mutant, file, text) === text ? [`${mutant.name} changes nothing`] : [];
  } catch (error) {
    return [String(error)];
  }
}

/** Each shows within a few seeds. */
const QUICK = [
  'restart-from-older',
  'snapshot-after-next-record',
  'split-one-ahead',
  'older-entry-wins-merge',
  'timers-lost-at-restore',
  'restored-part-not-cut',
];
const SEEDS = 40;
const LIMIT_MS = 60_000;

test('the campaign finds bugs, and the seeds that found them find nothing without', async () => {
  const catches = [];
  for (let at = 0; at < QUICK.length; at += 2) {
    const names = QUICK.slice(at, at + 2);
    const reports = await Promise.all(
      names.map((mutant) => startHunt({ mutant, seeds: SEEDS }, LIMIT_MS)),
    );
    for (const [index, report] of reports.entries()) {
      assert.equal(report?.catches.length, 1, `${names[index]} survives`);
      catches.push(report.catches[0]!);
    }
  }
  assert.ok(catches.some(({ oracles }) => oracles.includes('output')));
  const seen = catches.map(({ job, seed }) => ({ job, seed })).filter(({ job }) => job !== '');
  const clean = await startHunt({ mutant: null, seeds: 0, trials: seen }, LIMIT_MS);
  assert.deepEqual(clean?.catches, []);
  assert.equal(clean.tried, seen.length);
});
