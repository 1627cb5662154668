import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from 'millrace';
import { compareTotals } from './check-totals.ts';
import { generateOrders } from './generate.ts';
import orders from './orders.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-orders-'));
const input = join(folder, 'input');
const output = join(folder, 'output');
let repetitions = 0;

before(async () => {
  generateOrders(input, { seed: 7, orders: 3_000, files: 4 });
  const execution = await run(orders, { parameters: { input, output }, parallelism: 2 });
  await execution.done;
  const first = execution.metrics().find(({ uid }) => uid === 'first-of-its-id');
  repetitions = Number(first?.more.repetitions);
});

after(() => rmSync(folder, { recursive: true }));

/** Changes the lines of one kind of output, compares, and puts them back. */
function compareWith(kind: string, change: (lines: string[]) => string[]) {
  const [path] = globSync(`${output}/${kind}/*.jsonl`);
  const text = readFileSync(path!, 'utf8');
  writeFileSync(path!, `${change(text.trim().split('\n')).join('\n')}\n`);
  const found = compareTotals(input, output);
  writeFileSync(path!, text);
  return found;
}

test('the orders job gives the totals of a plain loop and drops what comes again', () => {
  const found = compareTotals(input, output);
  assert.deepEqual(found, { orders: 3_000, lost: 0, doubled: 0, differences: [] });
  assert.ok(repetitions > 50, `${repetitions} repetitions`);
});

test('the comparison finds an order that is lost, doubled or added up wrongly', () => {
  const lost = compareWith('running', (lines) => lines.slice(1));
  assert.deepEqual([lost.lost, lost.doubled], [1, 0]);
  const doubled = compareWith('running', (lines) => [lines[5]!, ...lines]);
  assert.deepEqual([doubled.lost, doubled.doubled], [0, 1]);
  const wrong = compareWith('running', (lines) =>
    lines.map((line, index) => (index === 9 ? line.replace(/"cents":/, '"cents":1') : line)),
  );
  assert.match(wrong.differences.join(), /^running total \d+ of customer-\d+: expected/);
});

test('the comparison finds a day that is lost or doubled', () => {
  const lost = compareWith('daily', (lines) => lines.slice(1));
  assert.ok(lost.lost > 0 && lost.doubled === 0);
  const doubled = compareWith('daily', (lines) => [...lines, lines[0]!]);
  assert.ok(doubled.doubled > 0 && doubled.lost === 0);
});
