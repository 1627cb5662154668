import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

test('parseDuration reads a number and its unit, and nothing else', () => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['10', null],
    ['10 s', null],
    ['-1s', null],
    ['s', null],
    ['1w', null],
  ];
  for (const [text, milliseconds] of cases) assert.equal(parseDuration(text), milliseconds, text);
});

test('formatDuration shows two units at most and never a unit that is full', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 ms'],
    [340, '340 ms'],
    [2_460, '2.5 s'],
    [9_990, '10 s'],
    [59_600, '1 m'],
    [200_000, '3 m 20 s'],
    [7_500_000, '2 h 5 m'],
    [1_047_600_000, '12 d 3 h'],
    [-1_500, '-1.5 s'],
    [Number.POSITIVE_INFINITY, '-'],
  ];
  for (const [milliseconds, text] of cases) assert.equal(formatDuration(milliseconds), text);
});
