import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AsyncResults } from './async-results.ts';

function take(results: AsyncResults<string>): string[] {
  const out: string[] = [];
  for (let next = results.next(); next !== null; next = results.next()) {
    out.push(next.kind === 'input' ? next.input : `w${next.timeMs}`);
  }
  return out;
}

test('AsyncResults ordered gives inputs and watermarks in the order they came', () => {
  const results = new AsyncResults<string>('ordered');
  results.add('a');
  results.add('b');
  results.addWatermark(5);
  results.add('c');
  results.complete('c');
  results.complete('b');
  assert.deepEqual(take(results), []);
  assert.deepEqual([...results.held()], ['a', 'b', 'c']);
  results.complete('a');
  assert.deepEqual(take(results), ['a', 'b', 'w5', 'c']);
  assert.equal(results.isEmpty, true);
});

test('AsyncResults unordered gives inputs as they complete, but not across a watermark', () => {
  const results = new AsyncResults<string>('unordered');
  results.add('a');
  results.add('b');
  results.addWatermark(5);
  results.add('c');
  results.complete('c');
  assert.deepEqual(take(results), []);
  results.complete('b');
  assert.deepEqual(take(results), ['b']);
  assert.deepEqual([...results.held()], ['a', 'c']);
  results.complete('a');
  assert.deepEqual(take(results), ['a', 'w5', 'c']);
});

test('AsyncResults lets watermarks pass at once when nothing is held', () => {
  for (const order of ['ordered', 'unordered'] as const) {
    const results = new AsyncResults<string>(order);
    results.addWatermark(1);
    results.addWatermark(2);
    assert.equal(results.isEmpty, false);
    assert.deepEqual(take(results), ['w1', 'w2']);
    assert.equal(results.isEmpty, true);
  }
});

test('AsyncResults refuses a second completion', () => {
  const results = new AsyncResults<string>('ordered');
  results.add('a');
  results.complete('a');
  take(results);
  assert.throws(() => results.complete('a'), /completes once/);
});
