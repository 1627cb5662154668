import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseByteSize } from './byte-size.ts';

test('parseByteSize reads a number and its unit, and nothing else', () => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['512kb', 524_288],
    ['256mb', 268_435_456],
    ['1.5gb', 1_610_612_736],
    ['64MB', 67_108_864],
    ['64', null],
    ['64 mb', null],
    ['-1mb', null],
    ['mb', null],
    ['1tb', null],
  ];
  for (const [text, bytes] of cases) assert.equal(parseByteSize(text), bytes, text);
});
