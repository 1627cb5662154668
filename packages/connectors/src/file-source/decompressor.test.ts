import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Compression, compressionOf, Decompressor } from './decompressor.ts';

const packers = { gzip: gzipSync, zstd: zstdCompressSync } as const;
const text = Buffer.from(Array.from({ length: 50_000 }, (_, i) => `line ${i ** 2}\n`).join(''));

for (const [compression, pack] of Object.entries(packers)) {
  const kind = compression as Exclude<Compression, 'none'>;

  test(`Decompressor puts ${kind} members together, whatever the pieces`, () => {
    const first = pack(text.subarray(0, 100_000));
    const whole = Buffer.concat([first, pack(Buffer.alloc(0)), pack(text.subarray(100_000))]);
    for (const pieceBytes of [997, first.length, whole.length]) {
      const decompressor = new Decompressor(kind);
      const output: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += pieceBytes) {
        output.push(...decompressor.push(whole.subarray(at, at + pieceBytes)));
      }
      output.push(...decompressor.end());
      decompressor.close();
      assert.ok(Buffer.concat(output).equals(text), `pieces of ${pieceBytes}`);
    }
  });

  test(`Decompressor makes long ${kind} output piece by piece`, () => {
    const decompressor = new Decompressor(kind);
    let pieces = 0;
    let bytes = 0;
    for (const piece of decompressor.push(pack(Buffer.alloc(20_000_000)))) {
      pieces++;
      bytes += piece.length;
      assert.ok(piece.length <= 256 * 1024);
    }
    assert.equal(bytes, 20_000_000);
    assert.ok(pieces > 70);
    decompressor.close();
  });

  test(`Decompressor notices ${kind} content that is cut off or damaged`, () => {
    const packed = pack(text);
    const cut = new Decompressor(kind);
    assert.throws(() => [...cut.push(packed.subarray(0, packed.length - 5)), ...cut.end()]);
    const damaged = Buffer.from(packed);
    damaged.fill(0xa5, packed.length >> 1, (packed.length >> 1) + 40);
    const other = new Decompressor(kind);
    assert.throws(() => [...other.push(damaged), ...other.end()]);
  });
}

test('compressionOf goes by the extension', () => {
  const names = ['a.gz', 'a.jsonl.GZIP', 'a.zst', 'a.zstd', 'a.gz.txt', 'gz', 'a'];
  assert.deepEqual(names.map(compressionOf), [
    'gzip',
    'gzip',
    'zstd',
    'zstd',
    'none',
    'none',
    'none',
  ]);
});
