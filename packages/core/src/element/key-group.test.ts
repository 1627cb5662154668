import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultMaxParallelism, keyGroupOf, keyGroupRangeOf, subtaskOf } from './key-group.ts';

test('keyGroupOf of an integer is that of its decimal text', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 32_768 }), (value, maxParallelism) => {
      assert.equal(keyGroupOf(value, maxParallelism), keyGroupOf(String(value), maxParallelism));
    }),
    { numRuns: 5_000 },
  );
  for (const value of [0, -0, 9, 10, -1, 2 ** 31, -(2 ** 31), 2 ** 53, 1e21, 0.5, 12345678901n]) {
    const text = String(Object.is(value, -0) ? 0 : value);
    assert.equal(keyGroupOf(value, 128), keyGroupOf(text, 128), text);
  }
});

test('keyGroupRangeOf partitions the key groups as subtaskOf does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 }), (a, b) => {
      const [parallelism, maxParallelism] = [Math.min(a, b), Math.max(a, b)];
      let next = 0;
      for (let subtask = 0; subtask < parallelism; subtask++) {
        const { first, last } = keyGroupRangeOf(subtask, maxParallelism, parallelism);
        assert.equal(first, next);
        assert.ok(last >= first);
        assert.equal(subtaskOf(first, maxParallelism, parallelism), subtask);
        assert.equal(subtaskOf(last, maxParallelism, parallelism), subtask);
        next = last + 1;
      }
      assert.equal(next, maxParallelism);
    }),
  );
});

test("defaultMaxParallelism is Flink's", () => {
  assert.deepEqual(
    [1, 85, 86, 171, 30_000].map(defaultMaxParallelism),
    [128, 128, 256, 256, 32_768],
  );
});
