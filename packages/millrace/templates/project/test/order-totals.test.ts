// The job in a virtual world: a clock, a disk and chance of its own. The power goes at many
// different steps, and each time the job must come to the same totals.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crashEverywhere, type VirtualEnvironment } from '@millrace/testing';
import { run } from 'millrace';
import orderTotals, { type Order, type Total } from '../order-totals.ts';

const orders = readFileSync(new URL('../data/orders.jsonl', import.meta.url));

/** Runs the job to its end, from whatever an earlier life has left on the disk. */
async function runToEnd(environment: VirtualEnvironment): Promise<Total[]> {
  await writeOnce(environment, 'input', 'orders.jsonl', orders);
  const execution = await run(orderTotals, {
    environment,
    parameters: { input: 'input', output: 'output' },
    checkpoints: { directory: 'checkpoints', intervalMs: 20 },
  });
  await execution.done;
  return readTotals(environment);
}

async function writeOnce(
  { fileSystem }: VirtualEnvironment,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  const path = `${directory}/${name}`;
  if ((await fileSystem.stat(path)) !== null) return;
  await fileSystem.makeDirectory(directory);
  const file = await fileSystem.create(`.${name}`);
  await file.write(content);
  await file.sync();
  await file.close();
  await fileSystem.rename(`.${name}`, path);
  await fileSystem.syncDirectory(directory);
}

async function readTotals({ fileSystem }: VirtualEnvironment): Promise<Total[]> {
  const totals: Total[] = [];
  for (const { name, kind } of await fileSystem.list('output')) {
    if (kind !== 'file') continue;
    const text = new TextDecoder().decode(await fileSystem.readFile(`output/${name}`));
    for (const line of text.trim().split('\n')) totals.push(JSON.parse(line));
  }
  return totals.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

/** The same totals, by a plain loop. */
function expectedTotals(): Total[] {
  const revenues = new Map<string, Total>();
  for (const line of orders.toString('utf8').trim().split('\n')) {
    const { customer, amount, placedAt }: Order = JSON.parse(line);
    const minute = `${placedAt.slice(0, 16)}:00.000Z`;
    const key = nameOf({ customer, minute, revenue: 0 });
    const revenue = (revenues.get(key)?.revenue ?? 0) + amount;
    revenues.set(key, { customer, minute, revenue });
  }
  return [...revenues.values()].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

function nameOf({ customer, minute }: Total): string {
  return `${customer} ${minute}`;
}

test('every order is counted once, wherever the power goes', async () => {
  const tried = await crashEverywhere({
    seed: 1,
    start: runToEnd,
    check: ({ value }) => assert.deepEqual(value, expectedTotals()),
    points: 50,
  });
  assert.ok(tried > 10);
});
