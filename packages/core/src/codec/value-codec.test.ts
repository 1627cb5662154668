import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { MalformedDataError, UnserializableValueError } from './codec-errors.ts';
import type { Json } from './json.ts';
import { fromTaggedJson, toTaggedJson } from './tagged-json.ts';
import { type Shape, ShapeTable, shapeRecord } from './shape-table.ts';
import { decodeValue, ValueDecoder } from './value-decoder.ts';
import { encodeValue, ValueEncoder } from './value-encoder.ts';

/** The value as another process reads it: only bytes and shape records pass. */
function throughBytes(value: unknown): unknown {
  const { bytes, shapes } = encodeValue(value);
  const table = new ShapeTable();
  for (const shape of shapes) table.add(structuredClone(shapeRecord(shape)));
  return decodeValue(bytes, table);
}

function throughJson(value: unknown): unknown {
  return fromTaggedJson(JSON.parse(JSON.stringify(toTaggedJson(value))));
}

const ways = [throughBytes, throughJson];

const ODD_NAMES = fc.constantFrom('__proto__', '$type', 'constructor', '', 'a', '0', '\ud800');
const values = fc.anything({
  maxDepth: 4,
  key: fc.oneof(fc.string({ unit: 'binary' }), ODD_NAMES),
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withBoxedValues: true,
  withUnicodeString: true,
});

test('any value comes back from bytes and from tagged JSON as it was', () => {
  for (const through of ways) {
    fc.assert(
      fc.property(values, (value) => {
        assert.deepStrictEqual(through(value), value);
      }),
      { numRuns: 1_500, seed: 11 },
    );
  }
});

test('values of all supported classes come back', () => {
  const error = new RangeError('too far', { cause: { code: 7 } });
  // biome-ignore lint/suspicious/noSparseArray: that is the case
  const sparse = [1, , 3];
  sparse.length = 10;
  const own = Object.fromEntries([
    ['__proto__', 1],
    ['b', 2],
  ]); // an own field of that name
  const samples: unknown[] = [
    [undefined, null, true, false, 0, -0, NaN, Infinity, -Infinity, 1.5, 2 ** 31, -(2 ** 31)],
    ['', 'ascii', 'ä€😀', 'x'.repeat(1_000), '\ud800', 'a\udc00b', '\u0000', 'é'.repeat(100)],
    [0n, 1n, -1n, 255n, 256n, -(2n ** 200n), 2n ** 64n],
    [new Date(0), new Date(NaN), new Date(-1), /a+[b]/giu, /(?:)/],
    new Map<unknown, unknown>([
      [{ a: 1 }, new Set([new Map()])],
      [NaN, undefined],
    ]),
    [new Uint8Array([1, 2]), new Float64Array([NaN, -0]), new BigInt64Array([-1n])],
    [new DataView(new ArrayBuffer(3)), new ArrayBuffer(5), new Uint8Array(0)],
    [new Uint8Array([1, 2, 3, 4]).subarray(1, 3), Buffer.from('buffer')],
    [Object(1), Object('s'), Object(true), Object(1n)],
    sparse,
    new Array(5),
    error,
    new Error('without a cause'),
    own,
    { $type: 'bigint', value: '1' },
    { $type: { $type: 'undefined' } },
    Array.from({ length: 300 }, (_, i) => ({ id: i, tags: [`t${i}`], nested: { x: i, y: null } })),
    Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`field${i}`, i])),
  ];
  for (const through of ways) {
    for (const sample of samples) assert.deepStrictEqual(through(sample), sample);
    const back = through(error) as RangeError;
    assert.equal(back.stack, error.stack);
    assert.deepEqual(Object.keys(through(own) as object), ['__proto__', 'b']);
    assert.equal(Object.getPrototypeOf(through(own)), Object.prototype);
    assert.ok(Buffer.isBuffer(through(Buffer.from('x'))));
  }
});

test('tagged JSON leaves plain values readable and never gives two values one text', () => {
  const plain = { a: [1, 'x', null, true], b: { c: -1.5 } };
  assert.deepEqual(toTaggedJson(plain), plain);
  const texts = new Map<string, unknown>();
  fc.assert(
    fc.property(values, (value) => {
      const text = JSON.stringify(toTaggedJson(value));
      if (texts.has(text)) assert.deepStrictEqual(texts.get(text), value);
      texts.set(text, value);
    }),
    { numRuns: 1_000, seed: 3 },
  );
});

class Customer {
  name = 'c';
}

test('what cannot be stored is refused with the path that leads to it', () => {
  const loop: Record<string, unknown> = { a: {} };
  (loop.a as Record<string, unknown>).back = loop;
  let deep: unknown = 1;
  for (let i = 0; i < 600; i++) deep = [deep];
  const cases: [unknown, string, RegExp][] = [
    [{ customer: { greet: () => 1 } }, 'order.customer.greet', /function/],
    [[1, { x: Symbol('s') }], 'order[1].x', /symbol/],
    [{ who: new Customer() }, 'order.who', /class Customer/],
    [new Customer(), 'order', /class Customer/],
    [new Map([['k', [new WeakMap()]]]), 'order.get("k")[0]', /class WeakMap/],
    [new Set([Promise.resolve()]), 'order.member(object)', /class Promise/],
    [{ 'not a name': () => 1 }, 'order["not a name"]', /function/],
    [loop, 'order.a.back', /cycle/],
    [new Error('x', { cause: () => 1 }), 'order.cause', /function/],
    [new (class extends Array {})(), 'order', /class/],
  ];
  const encoder = new ValueEncoder(new ShapeTable());
  for (const [value, path, type] of cases) {
    const writer = new ByteWriter();
    writer.u8(7);
    const refusals = [
      () => encoder.encode(value, writer, new Set<Shape>(), 'order'),
      () => toTaggedJson(value, 'order'),
    ];
    for (const refusal of refusals) {
      assert.throws(refusal, (error: unknown) => {
        assert.ok(error instanceof UnserializableValueError);
        assert.equal(error.code, 'UNSERIALIZABLE_VALUE');
        assert.equal(error.details.path, path);
        assert.match(error.message, type);
        return true;
      });
    }
    assert.equal(writer.position, 1, 'nothing half written stays');
  }
  assert.throws(() => encodeValue(deep), /nested/);
  assert.throws(() => toTaggedJson(deep), /nested/);
});

test('garbage is refused or read as something else, quickly and in little memory', () => {
  const shapes = new ShapeTable();
  const { bytes, shapes: used } = encodeValue([
    { a: 1, b: ['x', new Map([[1, 2n]])] },
    new Float64Array(4),
    Object.assign(new Error('e'), { stack: 'at' }),
    // biome-ignore lint/suspicious/noSparseArray: that is the case
    [, 1],
    /x/g,
  ]);
  for (const shape of used) shapes.add(shapeRecord(shape));
  const attempt = (input: Uint8Array): void => {
    try {
      decodeValue(input, shapes);
    } catch (error) {
      assert.ok(error instanceof MalformedDataError, String(error));
    }
  };
  for (let at = 0; at < bytes.length; at++) {
    attempt(bytes.subarray(0, at));
    for (let value = 0; value < 256; value++) {
      const broken = bytes.slice();
      broken[at] = value;
      attempt(broken);
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), attempt), { numRuns: 5_000, seed: 5 });
  attempt(new Uint8Array(100_000).fill(9)); // arrays in arrays
  attempt(Uint8Array.from([10, 255, 255, 255, 255, 15, 0])); // a sparse array of 2^32 - 1
  const garbage: Json[] = [
    { $type: 'x' },
    { $type: 'bigint', value: 'x' },
    { $type: 'map', entries: 1 },
  ];
  for (const json of garbage) assert.throws(() => fromTaggedJson(json), MalformedDataError);
});

test('shapes are written once, by content, and objects with data as names need none', () => {
  const shapes = new ShapeTable();
  const encoder = new ValueEncoder(shapes);
  const used = new Set<Shape>();
  const writer = new ByteWriter();
  for (let i = 0; i < 100; i++) encoder.encode({ longName: i, other: { inner: i } }, writer, used);
  assert.equal(used.size, 2);
  assert.ok(writer.position < 100 * 30);
  const other = new ShapeTable();
  const record = shapeRecord([...used][0]!);
  other.add(record);
  other.add(record);
  assert.equal(other.find(record.low, record.high)?.names[0], 'longName');
  assert.throws(() => other.add({ ...record, low: record.low ^ 1 }), MalformedDataError);
  for (let i = 0; i < 10_000; i++) encoder.encode({ [`user${i}`]: i }, new ByteWriter(), used);
  assert.ok(used.size <= 4_100);
  const tail = { [`user${9_999}`]: { longName: 1, other: { inner: 2 } } };
  const one = new ByteWriter();
  encoder.encode(tail, one, used);
  assert.deepEqual(new ValueDecoder(shapes).decode(new ByteReader(one.written())), tail);
});
