// Goal: a table reads as a restore would read it, from any runs, and no more of them than asked.
// Method: random histories over several runs and key types against plain data.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Key, keyIdentity } from '../element/key.ts';
import { keyGroupRangeOf } from '../element/key-group.ts';
import type { OperatorManifest } from '../checkpoint/manifest.ts';
import type { RunReference } from '../state/snapshot.ts';
import { SeededRandom } from '../state/state-test-bed.ts';
import { type DumpedEntry, type DumpOptions, dumpTable } from './dump-table.ts';
import { type EntryToWrite, RunTestBed, tableOf } from './inspection-test-bed.ts';
import { readTableFacts } from './table-facts.ts';

const MAX_PARALLELISM = 8;
const KEYS: readonly Key[] = ['a', '', 'ä\u0000', 7, -0.5, 10n, -3n, true, false, ['t', 1], [[]]];
const totals = tableOf('totals', 'map', 3);
const timers = tableOf('timers/event', 'timer', 1, 'sub');
const other = tableOf('other', 'value');

/** @param runs newest first, each of all key groups; subtasks see their own part of them */
function operatorOf(runs: readonly RunReference[], parallelism = 2): OperatorManifest {
  const subtasks = Array.from({ length: parallelism }, (_, index) => {
    const keyGroups = keyGroupRangeOf(index, MAX_PARALLELISM, parallelism);
    const cut = runs.map((run) => ({ ...run, keyGroups }));
    const tables = [totals, timers, other].map(({ name, kind, version }) => ({
      name,
      kind,
      version,
    }));
    return { finished: false, keyed: { keyGroups, tables, runs: cut }, lists: [] };
  });
  return { parallelism, maxParallelism: MAX_PARALLELISM, subtasks };
}

async function dump(
  bed: RunTestBed,
  operator: OperatorManifest,
  table: string,
  options: Partial<DumpOptions> = {},
): Promise<DumpedEntry[]> {
  const entries: DumpedEntry[] = [];
  for await (const entry of dumpTable(operator, bed, table, { nowMs: 0, ...options })) {
    entries.push(entry);
  }
  return entries;
}

interface World {
  readonly bed: RunTestBed;
  readonly operator: OperatorManifest;
  /** By identity of key and sub key. */
  readonly expected: ReadonlyMap<string, { key: Key; sub: Key; value: unknown }>;
}

async function randomWorld(seed: number): Promise<World> {
  const random = new SeededRandom(seed);
  const bed = new RunTestBed(MAX_PARALLELISM);
  const expected = new Map<string, { key: Key; sub: Key; value: unknown }>();
  const runs: RunReference[] = [];
  for (let run = 0; run < 4; run++) {
    const changes = new Map<string, EntryToWrite>();
    for (let i = random.below(60); i >= 0; i--) {
      const key = random.pick(KEYS);
      const sub = random.pick(KEYS);
      const at = `${nameOf(key)}|${nameOf(sub)}`;
      if (random.below(4) === 0) {
        changes.set(at, { table: totals, key, sub });
        expected.delete(at);
      } else {
        const value = { run, i, text: 'x'.repeat(random.below(300)) };
        changes.set(at, { table: totals, key, sub, value, rank: i });
        expected.set(at, { key, sub, value });
      }
      changes.set(`other ${at}`, { table: other, key, sub: undefined, value: i });
    }
    // One record per address, as a store writes them.
    const unique = new Map([...changes].map(([at, entry]) => [addressOf(entry, at), entry]));
    const compression = random.below(2) === 0 ? 'zstd' : 'none';
    runs.unshift(await bed.write(`shared/${run}.run`, [...unique.values()], compression));
  }
  return { bed, operator: operatorOf(runs, 1 + random.below(3)), expected };
}

function addressOf({ table, key }: EntryToWrite, at: string): string {
  return table === other ? `other ${nameOf(key)}` : at;
}

function nameOf(key: Key): string {
  return `${typeof key}${String(keyIdentity(key))}`;
}

for (let seed = 1; seed <= 30; seed++) {
  test(`dumpTable shows what a restore would find (seed ${seed})`, async () => {
    const { bed, operator, expected } = await randomWorld(seed);
    const strip = ({ key, sub, value }: Pick<DumpedEntry, 'key' | 'sub' | 'value'>): object => ({
      key,
      sub,
      value,
    });
    const found = await dump(bed, operator, 'totals');
    assert.deepEqual(
      new Set(found.map((entry) => JSON.stringify(strip(entry), bigintsToo))),
      new Set([...expected.values()].map((entry) => JSON.stringify(strip(entry), bigintsToo))),
    );
    assert.equal(found.length, expected.size);
    assert.ok(found.every(({ version }) => version === 3));
    for (const key of KEYS) {
      const ofKey = await dump(bed, operator, 'totals', { key });
      const wanted = found.filter((entry) => keyIdentity(entry.key) === keyIdentity(key));
      assert.deepEqual(ofKey, wanted);
    }
    const [facts] = await readTableFacts(manifestOf(operator), bed, {
      exactBytesMax: Number.POSITIVE_INFINITY,
      nowMs: 0,
    });
    const table = facts?.tables.find(({ name }) => name === 'totals');
    assert.equal(table?.exact?.entries, expected.size);
    assert.ok(table.entriesAtMost >= expected.size);
    const shaped =
      expected.size === 0 ? [] : [{ fields: ['run', 'i', 'text'], entries: expected.size }];
    assert.deepEqual(table.exact.shapes, shaped);
  });
}

function bigintsToo(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value;
}

function manifestOf(operator: OperatorManifest): Parameters<typeof readTableFacts>[0] {
  return {
    formatVersion: 2,
    jobName: 'j',
    instanceId: 'i',
    generation: 1,
    checkpointId: 1,
    kind: 'checkpoint',
    triggeredAtMs: 0,
    completedAtMs: 0,
    fingerprint: 'f',
    operators: { totals: operator },
    enumerators: {},
  };
}

test('dumpTable hides what has expired, or says so', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const run = await bed.write('r', [
    { table: other, key: 'gone', value: 1, expiresAtMs: 1_000 },
    { table: other, key: 'soon', value: 2, expiresAtMs: 1_001 },
    { table: other, key: 'never', value: 3 },
  ]);
  const operator = operatorOf([run]);
  const keysOf = (entries: readonly DumpedEntry[]): Key[] => entries.map(({ key }) => key).sort();
  const visible = await dump(bed, operator, 'other', { nowMs: 1_000 });
  assert.deepEqual(keysOf(visible), ['never', 'soon']);
  const all = await dump(bed, operator, 'other', { nowMs: 1_000, includeExpired: true });
  assert.deepEqual(keysOf(all.filter(({ isExpired }) => isExpired)), ['gone']);
  assert.equal(all.length, 3);
});

test('dumpTable gives timers in the order of their time, also of one key', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const run = await bed.write(
    'r',
    [300, 100, 200].flatMap((sub) =>
      ['a', 'b'].map((key): EntryToWrite => ({ table: timers, key, sub, value: null })),
    ),
  );
  const ofKey = await dump(bed, operatorOf([run]), 'timers/event', { key: 'a' });
  assert.deepEqual(
    ofKey.map(({ key, sub }) => [key, sub]),
    [
      ['a', 100],
      ['a', 200],
      ['a', 300],
    ],
  );
});

test('dumpTable of a key reads of one key group what may hold it', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const many = Array.from(
    { length: 20_000 },
    (_, i): EntryToWrite => ({ table: other, key: i, value: `value ${i}` }),
  );
  const run = await bed.write('r', many);
  bed.readBytes = 0;
  const found = await dump(bed, operatorOf([run]), 'other', { key: 1_234 });
  assert.deepEqual(
    found.map(({ key, value }) => [key, value]),
    [[1_234, 'value 1234']],
  );
  assert.ok(bed.readBytes < run.length / 20, `${bed.readBytes} of ${run.length}`);
});
