import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickCompaction } from './pick-compaction.ts';
import { SeededRandom } from './state-test-bed.ts';

const KB = 1 << 10;

test('pickCompaction waits for four runs of a level and takes all newer ones with them', () => {
  assert.equal(pickCompaction([]), 0);
  assert.equal(pickCompaction([KB, KB, KB]), 0);
  assert.equal(pickCompaction([KB, KB, KB, KB]), 4);
  assert.equal(pickCompaction([KB, KB, KB, 100 * KB]), 0);
  const level1 = 100 * KB;
  assert.equal(pickCompaction([KB, level1, level1, level1]), 0);
  assert.equal(pickCompaction([KB, level1, level1, level1, level1, 9_000 * KB]), 5);
});

test('pickCompaction leaves the base alone while few small runs stand before it', () => {
  const base = 1_000_000 * KB;
  assert.equal(pickCompaction([KB, KB, KB, base]), 0);
  assert.equal(pickCompaction([KB, KB, KB, KB, base]), 4);
});

test('pickCompaction never merges more than fits', () => {
  assert.equal(pickCompaction([600, 600, 600, 600, 600], 2_000), 0);
  assert.equal(pickCompaction([300, 300, 300, 300, 300, 3_000], 2_000), 5);
});

test('pickCompaction bounds the runs and the bytes written again', () => {
  const random = new SeededRandom(7);
  let runs: number[] = [];
  let written = 0;
  let rewritten = 0;
  for (let checkpoint = 0; checkpoint < 3_000; checkpoint++) {
    const size = KB * (1 + random.below(200));
    runs.unshift(size);
    written += size;
    const count = pickCompaction(runs, Number.POSITIVE_INFINITY);
    if (count > 0) {
      const merged = runs.slice(0, count).reduce((sum, bytes) => sum + bytes, 0);
      rewritten += merged;
      runs = [merged, ...runs.slice(count)];
    }
    const levels = 2 + Math.max(0, Math.log2(written / (64 * KB)) / 2);
    assert.ok(runs.length <= 3 * levels, `${runs.length} runs after ${checkpoint} checkpoints`);
  }
  const levels = 1 + Math.log2(written / (64 * KB)) / 2;
  assert.ok(rewritten <= written * levels, `${rewritten / written} times, ${levels} levels`);
});
