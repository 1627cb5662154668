// Goal: runs that a released version has written can be read for ever. The directories beside this
// file hold what one small job wrote in each format version (two runs per compression, newest
// first); they must never be changed or written anew.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { list, map, value } from '../../packages/core/src/state/descriptors.ts';
import type { RunReference } from '../../packages/core/src/state/snapshot.ts';
import { StateTestBed } from '../../packages/core/src/state/state-test-bed.ts';

const KEYS = ['a', 7, 10n, true, ['t', 1]] as const;

for (const version of [1, 2]) {
  for (const compression of ['zstd', 'none'] as const) {
    test(`runs of format version ${version} (${compression}) restore`, async () => {
      const directory = fileURLToPath(new URL(`runs-v${version}/`, import.meta.url));
      const references: RunReference[] = JSON.parse(
        readFileSync(`${directory}${compression}.json`, 'utf8'),
      );
      const bed = new StateTestBed();
      for (const { file, offset } of references) {
        const bytes = readFileSync(`${directory}${file}`);
        bed.objects.set(file, bytes);
        assert.equal(bytes.readUInt32LE(offset + 4), version);
      }
      const options = { keyGroupRange: { first: 0, last: 3 }, maxParallelism: 4 };
      const store = await bed.open(options, references);
      const { box, items, index } = store.states({
        box: value<{ n: number; name: string } | undefined>(undefined, { ttl: { ttlMs: 50 } }),
        items: list<string>(),
        index: map<string, number>(),
      });
      for (const key of KEYS) {
        store.setCurrentKey(key);
        const isFirst = key === 'a';
        assert.deepEqual(
          box.get(),
          isFirst ? undefined : { n: 1, name: `${String(key)} `.repeat(40) },
        );
        assert.deepEqual([...items.get()], isFirst ? ['x', 'y', 'z'] : ['x', 'y']);
        assert.deepEqual(
          [...index.entries()],
          isFirst
            ? [['two', 2]]
            : [
                ['one', 1],
                ['two', 2],
              ],
        );
      }
    });
  }
}
