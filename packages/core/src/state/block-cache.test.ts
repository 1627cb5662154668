import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockCache, type CacheOwner } from './block-cache.ts';

/** Says what was evicted, in order. */
function recorder(): CacheOwner & { readonly gone: number[] } {
  const gone: number[] = [];
  return { gone, evicted: (index) => void gone.push(index) };
}

test('BlockCache spares what was used again, and keeps to its budget', () => {
  const cache = new BlockCache(1_000);
  const owner = recorder();
  const slots = Array.from({ length: 10 }, (_, i) => cache.add(owner, i, 100));
  for (const i of [0, 1, 2]) cache.touch(slots[i]!);
  for (let i = 10; i < 17; i++) cache.add(owner, i, 100);
  assert.deepEqual(owner.gone, [3, 4, 5, 6, 7, 8, 9]);
  assert.equal(cache.usedBytes, 1_000);
  assert.equal(cache.evictions, 7);
});

test('BlockCache does not evict what is pinned or was added last, even above its budget', () => {
  const cache = new BlockCache(250);
  const owner = recorder();
  const first = cache.add(owner, 1, 100);
  cache.pin(first);
  cache.pin(first);
  cache.add(owner, 2, 100);
  cache.add(owner, 3, 10_000);
  assert.deepEqual(owner.gone, [2]);
  cache.unpin(first);
  cache.add(owner, 4, 100);
  assert.deepEqual(owner.gone, [2, 3]);
  cache.unpin(first);
  cache.resize(100);
  assert.deepEqual(owner.gone, [2, 3, 1]);
  assert.equal(cache.usedBytes, 100);
});

test('BlockCache gives slots again, and calls nobody for what is removed', () => {
  const cache = new BlockCache(1e6);
  const owner = recorder();
  const slots = Array.from({ length: 200 }, (_, i) => cache.add(owner, i, 10));
  for (const slot of slots) cache.remove(slot);
  assert.equal(cache.usedBytes, 0);
  const again = Array.from({ length: 200 }, (_, i) => cache.add(owner, i, 10));
  assert.deepEqual(again.toSorted(), slots.toSorted());
  assert.deepEqual(owner.gone, []);
});
