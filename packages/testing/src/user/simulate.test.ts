// Goal: jobs of users run unchanged, right ones pass, wrong ones fail with a message that helps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  csvOut,
  fileSink,
  fileSource,
  jsonLines,
  jsonLinesOut,
  linesOut,
  memorySink,
  memorySource,
} from '@millrace/connectors';
import { job, tumbling } from '@millrace/core';
import { crashEverywhere } from './crash-everywhere.ts';
import { simulate } from './simulate.ts';

interface Order {
  readonly customer: string;
  readonly amount: number;
  readonly at: number;
}

const ORDERS: readonly Order[] = Array.from({ length: 60 }, (_, i) => ({
  customer: ['ada', 'bob', 'cyd'][i % 3]!,
  amount: i,
  at: i * 100,
}));
const INPUT = { '/orders/a.jsonl': ORDERS.slice(0, 30), '/orders/b.jsonl': ORDERS.slice(30) };

const totals = job('totals', (flow, { target = '/totals' }) => {
  flow
    .from('orders', fileSource<Order>({ directory: '/orders', format: jsonLines() }))
    .eventTime({ timestamp: (order) => order.at, maxOutOfOrdernessMs: 10_000 })
    .keyBy((order) => order.customer)
    .window(tumbling(1_000))
    .aggregate('sum', { create: () => 0, add: (sum, order) => sum + order.amount })
    .map(({ key, value, windowStartMs }) => ({ customer: key, from: windowStartMs, total: value }))
    .to('out', fileSink({ directory: target, format: jsonLinesOut() }));
});

function expectedTotals(): unknown[] {
  const sums = new Map<string, { customer: string; from: number; total: number }>();
  for (const { customer, amount, at } of ORDERS) {
    const from = Math.floor(at / 1_000) * 1_000;
    const known = sums.get(`${customer} ${from}`);
    sums.set(`${customer} ${from}`, { customer, from, total: (known?.total ?? 0) + amount });
  }
  return [...sums.values()];
}

/** Counts in a variable that no checkpoint holds. */
const forgetful = job('forgetful', (flow) => {
  let count = 0;
  flow
    .from('numbers', memorySource({ splits: [Array.from({ length: 40 }, (_, i) => i)] }))
    .map((number) => `${number} is number ${count++}`)
    .to('out', fileSink({ directory: '/out', format: linesOut() }));
});

test('simulate passes a job that keeps its state in the engine', async () => {
  const summary = await simulate(totals, {
    input: INPUT,
    expected: expectedTotals(),
    seeds: 12,
  });
  assert.equal(summary.seeds, 12);
  assert.ok(summary.crashes >= 12, 'every seed has a crash');
  assert.ok(summary.restores >= 10, `${summary.restores} restores`);
  assert.ok(Object.keys(summary.faults).length > 4, JSON.stringify(summary.faults));
});

test('simulate gives equal summaries for equal seeds', async () => {
  const options = { input: INPUT, seeds: 2, firstSeed: 7 };
  assert.deepEqual(await simulate(totals, options), await simulate(totals, options));
});

test('simulate strikes only with the faults it is told to', async () => {
  const { faults } = await simulate(totals, { input: INPUT, seeds: 8, faults: ['clock'] });
  const allowed = /power crash|process kill|clock jump/;
  assert.deepEqual(
    Object.keys(faults).filter((kind) => !allowed.test(kind)),
    [],
  );
});

test('simulate fails for a job that counts in a variable, and tells the story', async () => {
  await assert.rejects(simulate(forgetful, { parallelisms: [1] }), (error: Error) => {
    assert.equal(error.name, 'AssertionError');
    assert.match(error.message, /lost 1 times: .* is number/);
    assert.match(error.message, /not expected, 1 times: .* is number/);
    assert.match(error.message, /what happened:\n {2}life 1, turn 0: life 1 begins/);
    assert.match(
      error.message,
      /again: simulate\(job, \{ \.\.\.options, firstSeed: \d+, seeds: 1 \}\)/,
    );
    return true;
  });
});

test('simulate reads a memory sink', async () => {
  const sink = memorySink<number>();
  const doubled = job('doubled', (flow) => {
    flow
      .from(
        'numbers',
        memorySource({
          splits: [
            [1, 2, 3],
            [4, 5],
          ],
        }),
      )
      .map((number) => number * 2)
      .to('out', sink);
  });
  await simulate(doubled, { output: sink, expected: [2, 4, 6, 8, 10], seeds: 5 });
  await assert.rejects(simulate(doubled, { output: sink, expected: [2, 4, 6, 8], seeds: 1 }), {
    name: 'AssertionError',
  });
});

test('simulate reads CSV without its headers, passes parameters, and takes a reader', async () => {
  const copied = job('copied', (flow, { target = '' }) => {
    flow
      .from('orders', fileSource<Order>({ directory: 'orders', format: jsonLines() }))
      .map(({ customer, amount }) => ({ customer, amount }))
      .to(
        'out',
        fileSink({ directory: target, format: csvOut({ columns: ['customer', 'amount'] }) }),
      );
  });
  const options = { input: INPUT, parameters: { target: 'copies' }, seeds: 3 };
  const lines = ORDERS.map(({ customer, amount }) => `${customer},${amount}`);
  await simulate(copied, { ...options, expected: lines });
  await simulate(copied, {
    ...options,
    output: (files) => files.map(({ path }) => path.split('/')[0]).slice(0, 1),
    expected: ['copies'],
  });
});

test('simulate shows the mistake of a job that fails by itself', async () => {
  const broken = job('broken', (flow) => {
    flow
      .from('orders', fileSource<Order>({ directory: '/orders', format: jsonLines() }))
      .map((order) => {
        if (order.amount === 33) throw new TypeError('33 is not allowed');
        return order.amount;
      })
      .to('out', memorySink<number>());
  });
  await assert.rejects(simulate(broken, { input: INPUT }), /33 is not allowed/);
  await assert.rejects(crashEverywhere(broken, INPUT), /33 is not allowed/);
});

test('simulate refuses a job that commits nothing', async () => {
  await assert.rejects(simulate(totals, { input: { '/orders/empty.jsonl': [] } }), {
    message: /commits nothing/,
  });
});

test('crashEverywhere passes a job that keeps its state in the engine', async () => {
  for (const crash of ['power', 'kill'] as const) {
    const summary = await crashEverywhere(totals, INPUT, { points: 25, crash });
    assert.equal(summary.crashes, 25);
    assert.ok(summary.checkpoints > 100, `${summary.checkpoints}`);
    assert.ok(summary.restores > 10, `${summary.restores} restores`);
  }
});

test('crashEverywhere names the turn at which a job fails that counts in a variable', async () => {
  let turn = 0;
  await assert.rejects(crashEverywhere(forgetful, {}, { parallelisms: [1] }), (error: Error) => {
    turn = Number(/again: .* atTurn: (\d+) /.exec(error.message)![1]);
    return error.name === 'AssertionError' && error.message.includes('is number');
  });
  await assert.rejects(
    crashEverywhere(forgetful, {}, { parallelisms: [1], atTurn: turn }),
    new RegExp(`crash at turn ${turn}`),
  );
});

test('simulate and crashEverywhere say so if no fault is needed for a difference', async () => {
  let runs = 0;
  const unsteady = job('unsteady', (flow) => {
    flow
      .from('numbers', memorySource({ splits: [[1, 2, 3]] }))
      .map((number) => `${number} of run ${runs++}`)
      .to('out', fileSink({ directory: '/out', format: linesOut() }));
  });
  const hint = /It differs without any fault, too/;
  await assert.rejects(simulate(unsteady), hint);
  await assert.rejects(crashEverywhere(unsteady), hint);
});
