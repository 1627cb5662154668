import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUnfinished, nameFilter } from './file-discovery.ts';
import { splitsOf } from './file-split.ts';
import { SeenFiles } from './seen-files.ts';

test('nameFilter knows * and ? and nothing else', () => {
  const accepts = nameFilter(['*.jsonl', 'day-?.[x]']);
  const names = ['a.jsonl', '.jsonl', 'a.jsonl.gz', 'day-1.[x]', 'day-12.[x]', 'day-1.x', 'ajsonl'];
  assert.deepEqual(names.map(accepts), [true, true, false, true, false, false, false]);
  assert.ok(nameFilter([])('anything'));
});

test('isUnfinished goes by the name', () => {
  const unfinished = ['.a', '_SUCCESS', 'a~', 'a.tmp', 'a.PART', 'a.inprogress', 'a.pending'];
  assert.ok(unfinished.every(isUnfinished));
  assert.ok(!['a', 'a.tmp.txt', 'part', 'a_b', 'partial.txt'].some(isUnfinished));
});

test('SeenFiles comes back from its snapshot', () => {
  const paths = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', '/', '1', '😀') }));
  fc.assert(
    fc.property(paths, (all) => {
      const seen = new SeenFiles();
      for (const path of all) seen.add(path);
      const back = new SeenFiles(JSON.parse(JSON.stringify(seen.snapshot())));
      assert.equal(back.size, all.length);
      assert.ok(all.every((path) => back.has(path)));
    }),
  );
});

test('splitsOf covers a file without gap or overlap', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 1_000 }), (sizeBytes, splitSizeBytes) => {
      const file = { path: 'a', sizeBytes, modifiedAtMs: 0 };
      const splits = splitsOf(file, 'none', splitSizeBytes);
      let at = 0;
      for (const { start, end } of splits) {
        assert.equal(start, at);
        at = end ?? sizeBytes;
        assert.ok(at > start && at - start <= splitSizeBytes * 1.5);
      }
      assert.equal(at, sizeBytes);
      assert.ok(splitsOf(file, 'gzip', splitSizeBytes).length <= 1);
    }),
  );
});
