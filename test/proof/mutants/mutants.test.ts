// Goal: the campaign finds the bugs that matter. Method: bugs are put into the engine one by one;
// here a few that show at once. All of them: `npm run proof:mutants`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENGINE_MUTANTS } from './engine-mutants.ts';
import { PACKAGES } from './load-mutant.ts';
import { type Mutant, mutate } from './mutant.ts';

test('every mutant has a name of its own and fits the engine', () => {
  assert.equal(new Set(ENGINE_MUTANTS.map(({ name }) => name)).size, ENGINE_MUTANTS.length);
  const misfits = ENGINE_MUTANTS.flatMap((mutant) =>
    [...new Set(mutant.edits.map(({ file }) => file))].flatMap((file) => misfit(mutant, file)),
  );
  assert.deepEqual(misfits, []);
});

function misfit(mutant: Mutant, file: string): string[] {
  const text = readFileSync(join(PACKAGES, file), 'utf8');
  try {
    return mutate(mutant, file, text) === text ? [`${mutant.name} changes nothing`] : [];
  } catch (error) {
    return [String(error)];
  }
}
