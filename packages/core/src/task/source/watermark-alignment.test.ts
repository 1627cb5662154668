import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pausedSources, type SourceProgress } from './watermark-alignment.ts';

function paused(maxDriftMs: number, ...sources: (number | 'idle')[]): number[] {
  const progress = sources.map((at, i): [number, SourceProgress] => [
    i,
    at === 'idle' ? { watermarkMs: 100, idle: true } : { watermarkMs: at, idle: false },
  ]);
  return [...pausedSources(new Map(progress), maxDriftMs)];
}

test('pausedSources pauses what is more than the drift ahead of the slowest', () => {
  assert.deepEqual(paused(100, 1_000, 850, 899, 900), [0]);
  assert.deepEqual(paused(100, 1_000, 900), []);
});

test('pausedSources does not count idle, silent and ended sources', () => {
  assert.deepEqual(paused(100, 1_000, 'idle'), []);
  assert.deepEqual(paused(100, 1_000, Number.NEGATIVE_INFINITY), []);
  assert.deepEqual(paused(100, Number.POSITIVE_INFINITY, 5), []);
  assert.deepEqual(paused(100), []);
});
