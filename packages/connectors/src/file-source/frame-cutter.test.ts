import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameCutter } from './frame-cutter.ts';

interface Cut {
  readonly text: string;
  readonly line: number;
  readonly offset: number;
}

function cut(bytes: Buffer, framing: 'lines' | 'quoted-lines', sizes: readonly number[]): Cut[] {
  const cutter = new FrameCutter({ framing, offset: 0, line: 1, maxRecordBytes: 1_000 });
  const cuts: Cut[] = [];
  const take = (): void => {
    while (cutter.next()) {
      cuts.push({ text: cutter.text(), line: cutter.frameLine, offset: cutter.frameOffset });
    }
    assert.ok(!cutter.next(), 'asking again changes nothing');
  };
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    cutter.push(bytes.subarray(at, at + size), false);
    take();
    at += size;
  }
  cutter.push(new Uint8Array(0), true);
  take();
  assert.equal(cutter.offset, bytes.length);
  return cuts;
}

// By characters, one after the other.
function reference(text: string, quoted: boolean): Cut[] {
  const cuts: Cut[] = [];
  let inside = false;
  let line = 1;
  let begin = { at: 0, line: 1 };
  const end = (at: number): void => {
    let frame = text.slice(begin.at, at);
    if (frame.endsWith('\r')) frame = frame.slice(0, -1);
    let start = begin.at;
    if (start === 0 && frame.startsWith('\uFEFF')) {
      frame = frame.slice(1);
      start = 1;
    }
    const offset = Buffer.byteLength(text.slice(0, start));
    if (frame !== '') cuts.push({ text: frame, line: begin.line, offset });
  };
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === '"') inside = !inside;
    if (text[at] !== '\n') continue;
    line++;
    if (inside) continue;
    end(at);
    begin = { at: at + 1, line };
  }
  end(text.length);
  return cuts;
}

const pieces = fc.constantFrom('a', 'b,', '"', '\n', '\r\n', '\r', 'ü', '€', '😀', '\uFEFF', '""');
const content = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
const chunkSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

for (const framing of ['lines', 'quoted-lines'] as const) {
  test(`FrameCutter cuts ${framing} as a scan by characters does, whatever the chunks`, () => {
    fc.assert(
      fc.property(content, chunkSizes, (text, sizes) => {
        assert.deepEqual(
          cut(Buffer.from(text), framing, sizes),
          reference(text, framing === 'quoted-lines'),
        );
      }),
      { numRuns: 2_000 },
    );
  });
}

test('FrameCutter tells records that are not UTF-8', () => {
  const cutter = new FrameCutter({ framing: 'lines', offset: 0, line: 1, maxRecordBytes: 9 });
  cutter.push(Buffer.from([0xc3, 0xbc, 10, 0xff, 10, 0x61, 10]), false);
  const seen: boolean[] = [];
  while (cutter.next()) seen.push(cutter.isText());
  assert.deepEqual(seen, [true, false, true]);
});

test('FrameCutter refuses a record over the limit, whole or not', () => {
  for (const text of ['0123456789\n', '0123456789']) {
    const cutter = new FrameCutter({ framing: 'lines', offset: 0, line: 1, maxRecordBytes: 9 });
    cutter.push(Buffer.from(`ok\n${text}`), false);
    assert.ok(cutter.next());
    assert.throws(() => cutter.next(), RangeError);
    assert.equal(cutter.offset, 3);
  }
});
