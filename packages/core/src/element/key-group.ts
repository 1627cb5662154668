import { assert } from '../base/assert.ts';
import { type Key, keyIdentity } from './key.ts';

/** Flink's default upper bound of a job's parallelism = number of key groups. */
export const DEFAULT_MAX_PARALLELISM = 128;
/** Flink's upper bound of maxParallelism. */
export const UPPER_BOUND_MAX_PARALLELISM = 32_768;

/** A subtask's share of the key groups; both ends inclusive. */
export interface KeyGroupRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The key group of a key: Flink's rule, murmur of Java's `String.hashCode` of the key's string
 * form, so that a string key lives in the same group here and on a Flink cluster.
 *
 * @param maxParallelism 1 to 32 768
 * @returns 0 to maxParallelism - 1
 *
 * Cost: O(length of the string form); integers take no allocation.
 * Source: org.apache.flink.runtime.state.KeyGroupRangeAssignment, MathUtils.murmurHash.
 */
export function keyGroupOf(key: Key, maxParallelism: number): number {
  const hash =
    typeof key === 'string'
      ? stringHash(key)
      : typeof key === 'number' && Number.isInteger(key) && Math.abs(key) < 2 ** 31
        ? integerHash(key)
        : stringHash(stringForm(key));
  return murmur(hash) % maxParallelism;
}

/** Which subtask owns a key group. */
export function subtaskOf(keyGroup: number, maxParallelism: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** The key groups that a subtask owns; the ranges of all subtasks partition 0..maxParallelism-1. */
export function keyGroupRangeOf(
  subtaskIndex: number,
  maxParallelism: number,
  parallelism: number,
): KeyGroupRange {
  assert(parallelism <= maxParallelism, 'parallelism is at most maxParallelism');
  const first = Math.floor((subtaskIndex * maxParallelism + parallelism - 1) / parallelism);
  const last = Math.floor(((subtaskIndex + 1) * maxParallelism - 1) / parallelism);
  return { first, last };
}

/** Flink's default: 1.5 times the parallelism rounded up to a power of two, 128 to 32 768. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2);
  const rounded = 2 ** Math.ceil(Math.log2(Math.max(1, wanted)));
  return Math.min(UPPER_BOUND_MAX_PARALLELISM, Math.max(DEFAULT_MAX_PARALLELISM, rounded));
}

function stringForm(key: Key): string {
  if (!Array.isArray(key)) return String(Object.is(key, -0) ? 0 : key);
  return String(keyIdentity(key));
}

// Java's String.hashCode.
function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

// stringHash(String(value)) without making the string: the digits from the left, by a power of ten.
function integerHash(value: number): number {
  let hash = 0;
  let rest = value;
  if (rest < 0) {
    hash = 45;
    rest = -rest;
  }
  let power = 1;
  while (power * 10 <= rest) power *= 10;
  for (; power >= 1; power = Math.floor(power / 10)) {
    const digit = Math.floor(rest / power) % 10;
    hash = (Math.imul(31, hash) + 48 + digit) | 0;
  }
  return hash;
}

// MathUtils.murmurHash: murmur3 of one int, made non-negative.
function murmur(code: number): number {
  let k = Math.imul(code, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  k = Math.imul(k, 0x1b873593);
  k = (k << 13) | (k >>> 19);
  k = (Math.imul(k, 5) + 0xe6546b64) | 0;
  k ^= 4;
  k ^= k >>> 16;
  k = Math.imul(k, 0x85ebca6b);
  k ^= k >>> 13;
  k = Math.imul(k, 0xc2b2ae35);
  k ^= k >>> 16;
  if (k >= 0) return k;
  return k === -2_147_483_648 ? 0 : -k;
}
