// Goal: every key can be written on a command line, in one way that means no other key. Method:
// keys of all types, there and back; then what people write.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Key, keyIdentity } from '@millrace/core/checkpoint';
import { alikeKeys, formatKey, parseKey } from './key-text.ts';

const KEYS: readonly Key[] = [
  ...['a', '', '42', '-1', '1e3', '12n', 'true', 'null', 'a b', '"', '\\', "it's", '[', '{}', 'ä'],
  ...['\u0000', '\n', 'order-17', '1n', '"1n"', 'NaN', 'Infinity', '$type', '\ud800'],
  ...[0, 1, -1, 0.1, 1e21, -1e-7, 2 ** 53, Infinity, -Infinity],
  ...[0n, 1n, -1n, 2n ** 80n],
  ...[true, false],
  ...[[], ['a'], ['a', 1, 2n, false], [['x'], []], ['1n', '"1n"', '\\"1n'], [Infinity]],
];

test('formatKey writes what parseKey reads as the same key', () => {
  for (const key of KEYS) {
    const parsed = parseKey(formatKey(key));
    assert.ok(typeof parsed !== 'string', formatKey(key));
    assert.equal(keyIdentity(parsed.key), keyIdentity(key), formatKey(key));
  }
  assert.equal(new Set(KEYS.map(formatKey)).size, KEYS.length);
});

test('parseKey takes words as strings, and numbers, bigints and booleans as such', () => {
  const cases: readonly (readonly [string, Key])[] = [
    ['order-17', 'order-17'],
    ['two words', 'two words'],
    ['007', '007'],
    ['42', 42],
    ['"42"', '42'],
    ['42n', 42n],
    ['true', true],
    ['["eu", 3n, ["x"]]', ['eu', 3n, ['x']]],
    ['{"$type":"bigint","value":"5"}', 5n],
    ['null', 'null'],
  ];
  for (const [text, key] of cases) assert.deepEqual(parseKey(text), { key });
});

test('parseKey refuses what begins like JSON and is no key', () => {
  for (const text of ['"open', '[1', '[null]', '{}', '{"a":1}', '[a]', '["x" 1]']) {
    assert.equal(typeof parseKey(text), 'string', text);
  }
});

test('alikeKeys are of other types', () => {
  assert.deepEqual(alikeKeys(42), ['42', 42n]);
  assert.deepEqual(alikeKeys('42'), [42n, 42]);
  assert.deepEqual(alikeKeys(42n), ['42', 42]);
  assert.deepEqual(alikeKeys('true'), [true]);
  assert.deepEqual(alikeKeys('a'), []);
});
