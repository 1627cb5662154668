import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvOut } from '../file-sink/output-format.ts';
import { csv } from './csv.ts';
import type { Format } from './format.ts';

function read<T>(format: Format<T>, text: string, header: string | null = null): T {
  return format.createDecoder(header)(text);
}

test('csv infers the record from its columns', () => {
  const typed: Format<{ a: number; b: string | null; c: boolean; d: Date; e: bigint }> = csv({
    columns: {
      a: 'integer',
      b: 'string?',
      c: 'boolean',
      d: (text: string) => new Date(text),
      e: 'bigint',
    },
  });
  assert.deepEqual(read(typed, '7,,true,2026-01-02,-12', 'a,b,c,d,e'), {
    a: 7,
    b: null,
    c: true,
    d: new Date('2026-01-02'),
    e: -12n,
  });
  const named: Format<{ x: string; y: string }> = csv({ header: false, columns: ['x', 'y'] });
  assert.deepEqual(read(named, '1,2'), { x: '1', y: '2' });
  const all: Format<Record<string, string>> = csv();
  assert.deepEqual(read(all, '1,2', 'x,y'), { x: '1', y: '2' });
});

test('csv refuses what does not fit', () => {
  const refused = (columns: Parameters<typeof csv>[0], text: string): void => {
    assert.throws(() => read(csv(columns), text, 'a'), { name: /^(Type|Syntax)Error$/ }, text);
  };
  for (const text of ['', ' ', 'x', '1e999x']) refused({ columns: { a: 'number' } } as never, text);
  for (const text of ['1.5', '9007199254740993']) {
    refused({ columns: { a: 'integer' } } as never, text);
  }
  for (const text of ['1.0', '', '0x1']) refused({ columns: { a: 'bigint' } } as never, text);
  for (const text of ['True', '1', '']) refused({ columns: { a: 'boolean' } } as never, text);
  for (const text of ['1,2', '"a', '"a"b', 'a"b"']) refused({} as never, text);
});

test('csv reads what csvOut writes', () => {
  const field = fc.oneof(
    fc.string(),
    fc.constantFrom('a,b', '"', 'line\nbreak', '\r\n', ' x ', 'ü€😀', '', '"",""'),
  );
  const columns = ['a', 'b', 'c'] as const;
  const record = fc.record({ a: field, b: field, c: field });
  const out = csvOut<{ a: string; b: string; c: string }>({ columns });
  const decode = csv({ columns }).createDecoder(String(out.header).slice(0, -1));
  fc.assert(
    fc.property(record, (value) => {
      assert.deepEqual(decode(String(out.encode(value, 0)).slice(0, -1)), { ...value });
    }),
  );
});
