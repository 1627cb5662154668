// Goal: what another thread reads is what this one gets, whatever becomes of the read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageNotFoundError, StorageUnavailableError } from '../storage/storage-errors.ts';
import { BlockingReader } from './blocking-reader.ts';
import type { BedOptions } from './blocking-reader-test-bed.ts';

const large = Uint8Array.from({ length: (5 << 19) + 3 }, (_, i) => (i * 7) % 251);
const objects = new Map([
  ['large', large],
  ['small', new Uint8Array([1, 2, 3])],
]);

function readerOf(mood: BedOptions['mood'], waitMs?: number): BlockingReader {
  const module = new URL('./blocking-reader-test-bed.ts', import.meta.url).href;
  const opener = { module, exportName: 'openBed', options: { objects, mood } };
  return new BlockingReader(opener, 'the bed', waitMs);
}

test('a blocking read gives ranges, also over the end and larger than a piece', async () => {
  const reader = readerOf('well');
  assert.deepEqual([...reader.read('small', 1, 1)], [2]);
  assert.deepEqual([...reader.read('small', 1, 1_000)], [2, 3]);
  assert.deepEqual([...reader.read('small', 9, 4)], []);
  assert.deepEqual(Buffer.from(reader.read('large', 1, large.length)), Buffer.from(large.slice(1)));
  await reader.close();
});

test('a blocking read of what is not there says so, and the thread goes on', async () => {
  const reader = readerOf('well');
  assert.throws(() => reader.read('none', 0, 1), StorageNotFoundError);
  assert.deepEqual([...reader.read('small', 0, 1)], [1]);
  await reader.close();
});

test('a storage that cannot be opened there is unavailable, with the reason', async () => {
  const reader = readerOf('refuse');
  const isTold = (error: unknown): boolean =>
    error instanceof StorageUnavailableError && /the gate is shut/.test(error.message);
  assert.throws(() => reader.read('small', 0, 1), isTold);
  assert.throws(() => reader.read('small', 0, 1), isTold);
  await reader.close();
});

test('a thread that does not answer is given up, and so is the next one', async () => {
  const reader = readerOf('hang', 300);
  assert.throws(() => reader.read('small', 0, 1), StorageUnavailableError);
  assert.throws(() => reader.read('small', 0, 1), StorageUnavailableError);
  await reader.close();
});
