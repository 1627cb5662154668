// The examples of docs/guide/simulate.md, word for word (pages.test.ts compares them).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSink, fileSource, jsonLines, jsonLinesOut } from '@millrace/connectors';
import { job, type, value } from '@millrace/core';
import { crashEverywhere, simulate } from '@millrace/testing';

interface Sale {
  readonly shop: string;
  readonly amount: number;
}

const shops = ['berlin', 'lima', 'oslo'];
const sales: Sale[] = Array.from({ length: 60 }, (_, i) => ({ shop: shops[i % 3]!, amount: i }));
const input = {
  '/sales/monday.jsonl': sales.slice(0, 30),
  '/sales/tuesday.jsonl': sales.slice(30),
};

/** Numbers the sales of each shop. */
const numbered = job('numbered', (flow) => {
  flow
    .from('sales', fileSource<Sale>({ directory: '/sales', format: jsonLines() }))
    .keyBy((sale) => sale.shop)
    .process('number', {
      state: { count: value(0) },
      output: type<string>(),
      onRecord({ shop }, { state, emit }) {
        state.count.set(state.count.get() + 1);
        emit(`${shop} ${state.count.get()}`);
      },
    })
    .to('out', fileSink({ directory: '/numbered', format: jsonLinesOut() }));
});

const expected = shops.flatMap((shop) => Array.from({ length: 20 }, (_, i) => `${shop} ${i + 1}`));

test('numbers each sale once, wherever the power goes', async () => {
  await crashEverywhere(numbered, input, { expected, points: 30 });
});

test('numbers each sale once, whatever fails', async () => {
  const { seeds, restores } = await simulate(numbered, { input, expected, seeds: 10 });
  assert.ok(restores > seeds / 2, 'most seeds go on from a checkpoint');
});

/** The same with the counts in a variable, of which no checkpoint knows. */
const forgetful = job('forgetful', (flow) => {
  const counts = new Map<string, number>();
  flow
    .from('sales', fileSource<Sale>({ directory: '/sales', format: jsonLines() }))
    .map(({ shop }) => {
      counts.set(shop, (counts.get(shop) ?? 0) + 1);
      return `${shop} ${counts.get(shop)}`;
    })
    .to('out', fileSink({ directory: '/numbered', format: jsonLinesOut() }));
});

test('finds out that the counts are not in state', async () => {
  const options = { input, expected, parallelisms: [1], faults: [] };
  await assert.rejects(simulate(forgetful, options), /2 times instead of 1: "oslo 1"/);
});
