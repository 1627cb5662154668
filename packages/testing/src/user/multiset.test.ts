import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareMultisets, contentKey } from './multiset.ts';

test('compareMultisets tells lost, doubled and foreign values apart', () => {
  const difference = compareMultisets(['a', 'b', 'b', 'c'], ['b', 'a', 'a', 'a', 'd']);
  assert.deepEqual(difference, {
    lost: [
      { value: 'b', count: 1 },
      { value: 'c', count: 1 },
    ],
    doubled: [{ value: 'a', count: 2 }],
    foreign: [{ value: 'd', count: 1 }],
  });
});

test('contentKey is equal for equal content only', () => {
  assert.equal(
    contentKey({ a: 1, b: [1n, new Map([[1, 2]])] }),
    contentKey({ b: [1n, new Map([[1, 2]])], a: 1 }),
  );
  const others = [1, '1', 1n, [1], { a: 1 }, null, undefined, Number.NaN, new Date(1)];
  assert.equal(new Set(others.map(contentKey)).size, others.length);
});
