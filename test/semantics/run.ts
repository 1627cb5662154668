// Runs semantics cases against the engine: node test/semantics/run.ts --cases FILE
// [--only PREFIX-OF-ID]. The last line is `run=N passed=M failed=K notSupported=J`.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type CaseResult, parseCases, runCase } from './run-cases.ts';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: `${import.meta.dirname}/cases.jsonl` },
    only: { type: 'string', default: '' },
  },
});

const cases = parseCases(readFileSync(options.cases, 'utf8'));
const results: CaseResult[] = [];
for (const testCase of cases) {
  if (!testCase.id.startsWith(options.only)) continue;
  results.push(await runCase(testCase));
}

for (const result of results) {
  if (result.outcome === 'passed') continue;
  const { title, note } = cases.find(({ id }) => id === result.id)!;
  console.log(`${result.outcome}: ${result.id} (${title})`);
  for (const line of result.lines) console.log(`    ${line}`);
  if (note !== undefined) console.log(`    note: ${note}`);
}

const count = (list: readonly CaseResult[], outcome: CaseResult['outcome']): number =>
  list.filter((result) => result.outcome === outcome).length;
const row = (area: string, ...cells: readonly unknown[]): string =>
  area.padEnd(15) + cells.map((cell) => String(cell).padStart(14)).join('');
console.log(row('area', 'run', 'passed', 'failed', 'not supported', 'ways'));
for (const area of new Set(results.map((result) => result.area))) {
  const list = results.filter((result) => result.area === area);
  const ways = list.reduce((sum, { variants }) => sum + variants, 0);
  const outcomes = (['passed', 'failed', 'notSupported'] as const).map((one) => count(list, one));
  console.log(row(area, list.length, ...outcomes, ways));
}

const passed = count(results, 'passed');
const failed = count(results, 'failed');
const unknown = count(results, 'notSupported');
console.log(`run=${results.length} passed=${passed} failed=${failed} notSupported=${unknown}`);
process.exitCode = failed > 0 ? 1 : 0;
