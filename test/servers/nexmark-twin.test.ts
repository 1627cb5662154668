// Goal: the generator's Java twin, which feeds the peers, gives the same events to the last
// character. Method: the hash over every field of every event that is known for both.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KNOWN_STREAMS } from '../../benchmarks/nexmark/known-streams.ts';

const sources = join(import.meta.dirname, '../../benchmarks/peers/flink/src/main/java/bench');
const names = ['Mixing', 'Vocabulary', 'Person', 'Auction', 'Bid', 'Event', 'Generator'];

test('the Java twin of the generator gives the known events', () => {
  const classes = mkdtempSync(join(tmpdir(), 'millrace-twin-'));
  try {
    const files = [...names, 'EventHash'].map((name) => join(sources, `${name}.java`));
    const built = spawnSync('javac', ['-d', classes, ...files], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    for (const stream of KNOWN_STREAMS) {
      const { events, seed, eventsPerSecond, generators, index } = stream;
      const { outOfOrderGroupSize, first, hash } = stream;
      const numbers = [
        events,
        seed,
        eventsPerSecond,
        generators,
        index,
        outOfOrderGroupSize,
        first,
      ];
      const args = ['-cp', classes, 'bench.EventHash', ...numbers.map(String)];
      const { stdout, stderr } = spawnSync('java', args, { encoding: 'utf8' });
      assert.equal(Number(stdout), hash, `${numbers} ${stderr}`);
    }
  } finally {
    rmSync(classes, { recursive: true });
  }
});
