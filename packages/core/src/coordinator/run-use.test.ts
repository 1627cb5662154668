// Goal: an object with runs is in use exactly as long as somebody may read it, and is told useless
// once when that ends. Method: random calls against a plain count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunUse } from './run-use.ts';

function watched(): { readonly use: RunUse; readonly unused: string[] } {
  const unused: string[] = [];
  return { use: new RunUse((file) => unused.push(file)), unused };
}

test('RunUse holds an object from its name on, until the last hold is let go', () => {
  const { use, unused } = watched();
  use.begin('a');
  assert.ok(use.isInUse('a'));
  use.durable('a', 2, 30);
  assert.equal(use.uploadMsOf('a'), 30);
  use.hold('a'); // a reader
  use.letGo('a');
  use.letGo('a');
  assert.deepEqual([use.isInUse('a'), unused], [true, []]);
  use.letGo('a');
  assert.deepEqual([use.isInUse('a'), unused], [false, ['a']]);
});

test('RunUse tells an upload that failed', () => {
  const { use, unused } = watched();
  use.begin('a');
  use.failed('a');
  assert.deepEqual([use.isInUse('a'), unused], [false, ['a']]);
});

test('RunUse lets everything go at the end, and an upload that ends later too', () => {
  const { use, unused } = watched();
  use.hold('restored');
  use.begin('late');
  use.end();
  assert.deepEqual([unused, use.isInUse('late')], [['restored'], true]);
  use.durable('late', 1, 5);
  use.letGo('restored'); // a task that is closed late
  assert.deepEqual([unused, use.isInUse('late')], [['restored', 'late'], false]);
});

test('RunUse tells nothing that is held, and everything that is not, in any order of calls', () => {
  for (let seed = 1; seed <= 300; seed++) {
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % limit;
    };
    const { use, unused } = watched();
    const holds = new Map<string, number>();
    let told = 0;
    for (let step = 0; step < 60; step++) {
      const file = `f${below(4)}`;
      const before = holds.get(file) ?? 0;
      if (below(2) === 0) {
        use.hold(file);
        holds.set(file, before + 1);
      } else if (before > 0) {
        use.letGo(file);
        holds.set(file, before - 1);
        if (before === 1) told++;
      }
      assert.equal(use.isInUse(file), holds.get(file) !== undefined && holds.get(file)! > 0);
    }
    assert.equal(unused.length, told, `seed ${seed}`);
  }
});
