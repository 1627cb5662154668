import assert from 'node:assert/strict';
import { KEYS, type Second, type Tally } from './jobs/tally.ts';
import { assertEachOnce, type Shop } from './shop.ts';

/**
 * What the job `tally` has committed is exact: each number is there once, the tallies of each key
 * count 1, 2, 3 ..., and each second of event time, if it is there at all, is there once and whole.
 *
 * @returns how many numbers there are
 */
export function assertExactTallies(shop: Shop, output = 'output'): number {
  const tallies = shop.read<Tally>(`${output}/numbers/**/*.jsonl`);
  const numbers = tallies.map(({ number }) => number).sort((a, b) => a - b);
  for (let key = 0; key < KEYS; key++) {
    const nth = tallies.filter((tally) => tally.key === key).map((tally) => tally.nth);
    nth.sort((a, b) => a - b);
    assert.deepEqual(
      nth,
      nth.map((_, index) => index + 1),
      `tallies of key ${key}`,
    );
  }
  assert.deepEqual(new Set(numbers).size, numbers.length, 'a number was written twice');
  assertWholeSeconds(shop.read<Second>(`${output}/windows/**/*.jsonl`));
  return numbers.length;
}

/** The same, and the job has come to its end at `count`. */
export function assertAllTallies(shop: Shop, count: number, output = 'output'): void {
  assert.equal(assertExactTallies(shop, output), count);
  assertEachOnce(
    shop
      .read<Tally>(`${output}/numbers/**/*.jsonl`)
      .map(({ number }) => number)
      .sort((a, b) => a - b),
  );
  assertFinalSeconds(shop, count, output);
}

/** All windows up to the end of the input are there, the last one included. */
export function assertFinalSeconds(shop: Shop, count: number, output = 'output'): void {
  const seconds = shop.read<Second>(`${output}/windows/**/*.jsonl`);
  const sum = seconds.reduce((all, second) => all + second.numbers, 0);
  assert.equal(sum, count, 'numbers in windows');
  assert.equal(seconds.length, Math.ceil(count / 1_000) * KEYS);
}

// A window that was fired before its end, twice, or without some of its numbers, is too small.
function assertWholeSeconds(seconds: readonly Second[]): void {
  const ends = Math.max(0, ...seconds.map(({ startMs }) => startMs));
  const seen = new Set<string>();
  for (const { key, startMs, numbers } of seconds) {
    const name = `second ${startMs} of key ${key}`;
    assert.ok(!seen.has(name), `${name} is there twice`);
    seen.add(name);
    if (startMs < ends) assert.equal(numbers, 1_000 / KEYS, name);
  }
}
