import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidKeyError, type Key, keyIdentity } from '../element/key.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { MalformedDataError } from './codec-errors.ts';
import { decodeKey, encodeKey, endOfKey } from './key-codec.ts';

function bytesOf(key: Key | undefined): Buffer {
  const writer = new ByteWriter(1);
  encodeKey(writer, key);
  return Buffer.from(writer.copy());
}

const strings = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\u0000', '\u0001', '\u0002', 'a', '\u007f', 'é', '€') }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udfff', '😀', '\uffff', '\ue000') }),
);
const scalars = fc.oneof(
  strings,
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.bigInt(),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.boolean(),
);
const { keys } = fc.letrec<{ keys: Key }>((tie) => ({
  keys: fc.oneof({ depthSize: 'small' }, scalars, fc.array(tie('keys'), { maxLength: 4 })),
}));

const sameKey = (a: Key, b: Key): boolean => keyIdentity(a) === keyIdentity(b);

test('a key comes back from its bytes, and stands in for itself', () => {
  fc.assert(
    fc.property(keys, (key) => {
      const bytes = bytesOf(key);
      const reader = new ByteReader(Buffer.concat([bytes, Buffer.from([255, 0])]));
      const back = decodeKey(reader);
      assert.ok(back !== undefined && sameKey(back, key));
      assert.equal(reader.position, bytes.length);
      assert.equal(endOfKey(Buffer.concat([bytes, bytes]), 0, 2 * bytes.length), bytes.length);
      assert.throws(() => endOfKey(bytes, 0, bytes.length - 1), MalformedDataError);
    }),
    { numRuns: 3_000, seed: 1 },
  );
});

test('two keys have one encoding exactly if they are the same key, and none begins another', () => {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      const [x, y] = [bytesOf(a), bytesOf(b)];
      assert.equal(x.equals(y), sameKey(a, b));
      if (!x.equals(y)) {
        const shared = Math.min(x.length, y.length);
        assert.ok(!x.subarray(0, shared).equals(y.subarray(0, shared)), 'prefix-free');
      }
    }),
    { numRuns: 5_000, seed: 2 },
  );
  assert.ok(bytesOf(-0).equals(bytesOf(0)));
  const lookalikes: Key[] = [1, '1', 1n, true, [1], ['1'], [[1]], [1, []], [], ''];
  assert.equal(new Set(lookalikes.map((key) => bytesOf(key).toString('hex'))).size, 10);
});

test('bytes order as keys of one type do', () => {
  const ordered = <T extends Key>(arbitrary: fc.Arbitrary<T>): void =>
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        assert.equal(Buffer.compare(bytesOf(a), bytesOf(b)), expected);
        // The same in front of a second component.
        const pairs = Buffer.compare(bytesOf([a, 'x']), bytesOf([b, 'a']));
        assert.equal(pairs, expected || 1);
      }),
      { numRuns: 2_000, seed: 4 },
    );
  ordered(strings);
  ordered(fc.double({ noNaN: true }));
  ordered(fc.bigInt());
  ordered(fc.bigInt({ min: -70_000n, max: 70_000n }));
  ordered(fc.boolean());
});

test('absent sub keys and keys of megabytes are keys too', () => {
  assert.equal(decodeKey(new ByteReader(bytesOf(undefined))), undefined);
  const long = 'ß'.repeat(1_000_000);
  assert.equal(decodeKey(new ByteReader(bytesOf(long))), long);
  const huge = 1n << 100_000n;
  assert.equal(decodeKey(new ByteReader(bytesOf(-huge))), -huge);
});

test('what cannot be a key is refused', () => {
  const bad: unknown[] = [Number.NaN, null, {}, Symbol('s'), () => 1, [Number.NaN], [undefined]];
  for (const key of bad) assert.throws(() => bytesOf(key as Key), InvalidKeyError);
});

test('garbage is refused or is another key', () => {
  const attempt = (bytes: Uint8Array): void => {
    try {
      const reader = new ByteReader(bytes);
      decodeKey(reader);
      assert.equal(endOfKey(Buffer.from(bytes), 0, bytes.length), reader.position);
    } catch (error) {
      assert.ok(error instanceof MalformedDataError, String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), attempt), { numRuns: 10_000, seed: 6 });
  fc.assert(
    fc.property(keys, fc.nat(), fc.nat(255), (key, at, byte) => {
      const bytes = bytesOf(key);
      bytes[at % bytes.length] = byte;
      attempt(bytes);
      attempt(bytes.subarray(0, at % bytes.length));
    }),
    { numRuns: 3_000, seed: 7 },
  );
  attempt(new Uint8Array(10_000).fill(0x30));
});
