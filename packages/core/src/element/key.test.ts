import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidKeyError, type Key, keyIdentity } from './key.ts';

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true }),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom('', '\u0000', '\u0000t1:', '1', 's1:1', -0, 0, 1, 1n, true),
);
const key: fc.Arbitrary<Key> = fc.letrec<{ key: Key; tuple: Key }>((tie) => ({
  key: fc.oneof({ maxDepth: 3 }, scalar, tie('tuple')),
  tuple: fc.array(tie('key'), { maxLength: 3 }),
})).key;

// The same key: tagged by type, -0 is 0.
function same(a: Key, b: Key): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((part, i) => same(part, b[i] as Key));
  }
  return typeof a === typeof b && !Array.isArray(a) && !Array.isArray(b) && a === b;
}

test('keyIdentity is equal exactly for equal keys', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const map = new Map([[keyIdentity(a), 'a']]);
      assert.equal(map.has(keyIdentity(b)), same(a, b));
    }),
    { numRuns: 5_000 },
  );
});

test('keyIdentity tells numbers, texts and bigints of one look apart', () => {
  const keys: Key[] = [1, '1', 1n, true, 'true', [1], ['1'], [1n], [[1]], ['1', ''], ['', '1']];
  assert.equal(new Set(keys.map(keyIdentity)).size, keys.length);
  assert.equal(keyIdentity(-0), 0);
});

for (const bad of [Number.NaN, null, undefined, {}, Symbol('s'), () => 1, [null], [[Number.NaN]]]) {
  test(`keyIdentity refuses ${typeof bad === 'symbol' ? 'a symbol' : JSON.stringify(bad)}`, () => {
    assert.throws(() => keyIdentity(bad as Key), InvalidKeyError);
  });
}
