// The job in a virtual world: a clock, a disk and chance of its own. The power goes at many
// different moments, and each time the job must come to the same totals.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crashEverywhere, simulate } from '@millrace/testing';
import orderTotals, { type Order, type Total } from '../order-totals.ts';

const orders = readFileSync(new URL('../data/orders.jsonl', import.meta.url), 'utf8');
const input = { 'data/orders.jsonl': orders };

/** The same totals, by a plain loop. */
function expectedTotals(): Total[] {
  const totals = new Map<string, Total>();
  for (const line of orders.trim().split('\n')) {
    const { customer, amount, placedAt }: Order = JSON.parse(line);
    const minute = `${placedAt.slice(0, 16)}:00.000Z`;
    const revenue = (totals.get(`${customer} ${minute}`)?.revenue ?? 0) + amount;
    totals.set(`${customer} ${minute}`, { customer, minute, revenue });
  }
  return [...totals.values()];
}

test('every order is counted once, wherever the power goes', async () => {
  const { crashes } = await crashEverywhere(orderTotals, input, {
    expected: expectedTotals(),
    points: 30,
  });
  assert.equal(crashes, 30);
});

test('every order is counted once, whatever fails', async () => {
  await simulate(orderTotals, { input, expected: expectedTotals(), seeds: 5 });
});
