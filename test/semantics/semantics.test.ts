import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Data, SemanticsCase } from './case.ts';
import { parseCases, runCase } from './run-cases.ts';

const cases = parseCases(readFileSync(`${import.meta.dirname}/cases.jsonl`, 'utf8'));

describe('semantics', () => {
  for (const testCase of cases) {
    test(`${testCase.id} ${testCase.title}`, async () => {
      const { outcome, lines } = await runCase(testCase);
      assert.equal(outcome, 'passed', lines.join('\n'));
    });
  }
});

/** The case with something else expected; null if there is nothing to change. */
function spoiled(
  testCase: SemanticsCase,
  how: 'one less' | 'one more' | 'other',
): SemanticsCase | null {
  if (testCase.expectError !== undefined) {
    return how === 'other' ? { ...testCase, expectError: 'no-such-error' } : null;
  }
  const { expect } = testCase;
  const last = expect.at(-1);
  if (how === 'one more') {
    return { ...testCase, expect: [...expect, { step: 0, out: { key: 'extra', value: 1 } }] };
  }
  if (last === undefined || isUnsaid(last)) return null;
  if (how === 'one less') return { ...testCase, expect: expect.slice(0, -1) };
  return { ...testCase, expect: [...expect.slice(0, -1), changed(last) as Data] };
}

// Flink tells of no watermark yet; for some splits the cut is free, so they take what is expected.
function isUnsaid(item: Data): boolean {
  return 'assignments' in item;
}

function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}?`;
  if (typeof value === 'boolean') return !value;
  if (value === null) return 'not null';
  if (Array.isArray(value)) return [...value, 'more'];
  const entries = Object.entries(value as Data);
  return Object.fromEntries(
    entries.map(([name, part]) => [name, name === 'step' ? part : changed(part)]),
  );
}

// Goal: no case passes by accident. Method: expect something else, in three ways.
describe('a spoiled expectation', () => {
  for (const how of ['one less', 'one more', 'other'] as const) {
    test(`(${how}) makes every case fail`, async () => {
      const accidents: string[] = [];
      for (const testCase of cases) {
        const wrong = spoiled(testCase, how);
        if (wrong === null) continue;
        const { outcome } = await runCase(wrong);
        if (outcome === 'passed') accidents.push(testCase.id);
      }
      assert.deepEqual(accidents, []);
    });
  }

  test('and unknown words are not supported, never passed', async () => {
    const outcomeOf = async (change: Partial<SemanticsCase>): Promise<string> =>
      (await runCase({ ...cases[0]!, ...change })).outcome;
    assert.equal(await outcomeOf({ job: { teleport: {} } }), 'notSupported');
    assert.equal(await outcomeOf({ steps: [{ teleport: true }] }), 'notSupported');
    const record = { key: 'a', value: [['teleport', 1]], ts: 1 };
    const process = { job: { process: {} }, steps: [{ record }], expect: [] };
    assert.equal(await outcomeOf(process), 'notSupported');
    const window = { kind: 'tumbling', sizeMs: 1000, fuzzy: true };
    assert.equal(await outcomeOf({ job: { window, aggregate: 'sum' } }), 'notSupported');
  });
});
