import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../codec/byte-writer.ts';
import { encodeKey } from '../codec/key-codec.ts';
import type { Key } from '../element/key.ts';
import { BlockCache } from './block-cache.ts';
import { ColdFigures } from './cold-reader.ts';
import { type ColdAddress, type ColdCursor, type ColdState, keyAfter } from './cold-state.ts';
import { LiveRuns } from './live-runs.ts';
import { openColdState } from './open-cold-state.ts';
import { EXPIRES, RANKED, TOMBSTONE, type TableRecord } from './run-format.ts';
import {
  RunShelf,
  type TestEntry,
  type TestRun,
  writeFirstFormat,
  writeTestRun,
} from './run-test-bed.ts';
import type { RunReference } from './snapshot.ts';
import { CorruptRunError } from './state-errors.ts';
import { SeededRandom } from './state-test-bed.ts';

const TABLES: TableRecord[] = [
  { id: 0x10, name: 'box', kind: 'value', order: 'key' },
  { id: 0x20ff, name: 'index', kind: 'map', order: 'key' },
  { id: 0xff00_0000, name: 'due', kind: 'timer', order: 'sub' },
];
const NAMES = { tables: TABLES, shapes: [] };
const GROUPS = 4;
/** A cache that holds everything. */
const ROOMY = 1e9;

function bytesOf(table: number, ...keys: (Key | undefined)[]): Buffer {
  const writer = new ByteWriter();
  writer.reserve(4);
  writer.view.setUint32(0, table, false);
  writer.position = 4;
  for (const key of keys) encodeKey(writer, key);
  return Buffer.from(writer.written());
}

/** What a state should hold: by key group and hex of the key. */
type Model = Map<number, Map<string, TestEntry>>;

interface World {
  readonly random: SeededRandom;
  readonly shelf: RunShelf;
  readonly live: LiveRuns;
  /** Of each reference, what its whole run holds. */
  readonly content: Map<RunReference, TestRun>;
  readonly range: { first: number; last: number };
}

function randomKey(random: SeededRandom): Key {
  const n = random.below(60);
  return random.below(3) === 0 ? n : random.below(2) === 0 ? `key ${n}` : [`t${n % 7}`, n];
}

function randomAddress(random: SeededRandom): Buffer {
  const key = randomKey(random);
  const table = random.pick(TABLES);
  if (table.name === 'box') return bytesOf(table.id, key, undefined);
  if (table.name === 'index') return bytesOf(table.id, key, random.below(5));
  return bytesOf(table.id, random.below(20) * 1_000, key);
}

function randomEntry(random: SeededRandom, key: Buffer): TestEntry {
  if (random.below(4) === 0) return { key, body: Buffer.alloc(0), flags: TOMBSTONE };
  const isRanked = key.readUInt32BE(0) === 0x20ff;
  const isExpiring = random.below(3) === 0;
  const head = Buffer.alloc(8 * (Number(isRanked) + Number(isExpiring)));
  if (isExpiring) head.writeDoubleLE(-1, 0);
  if (isRanked) head.writeDoubleLE(random.below(1_000), head.length - 8);
  const length = random.below(40) === 0 ? 5_000 : random.below(60);
  const body = Buffer.alloc(length, random.below(256));
  return {
    key,
    body: Buffer.concat([head, body]),
    flags: (isRanked ? RANKED : 0) + (isExpiring ? EXPIRES : 0),
  };
}

function randomRun(random: SeededRandom): TestRun {
  const run = new Map<number, TestEntry[]>();
  for (let group = 0; group < GROUPS; group++) {
    if (random.below(5) === 0) continue;
    const entries = new Map<string, TestEntry>();
    for (let left = 1 + random.below(120); left > 0; left--) {
      const key = randomAddress(random);
      entries.set(key.toString('hex'), randomEntry(random, key));
    }
    run.set(group, [...entries.values()]);
  }
  return run.size === 0 ? randomRun(random) : run;
}

function addRun({ random, shelf, live, content }: World): void {
  const run = randomRun(random);
  const compression = random.pick(['zstd', 'none'] as const);
  const encoded =
    random.below(3) === 0
      ? writeFirstFormat(run, NAMES, compression)
      : writeTestRun(run, NAMES, compression, random.pick([200, 1_000, undefined]));
  const whole = shelf.put(encoded);
  const first = random.below(2) === 0 ? whole.keyGroups.first : random.below(GROUPS);
  const last = Math.max(first, random.below(2) === 0 ? whole.keyGroups.last : 0);
  const reference = { ...whole, keyGroups: { first, last } };
  content.set(reference, run);
  live.add(reference);
}

/** Merges some neighbours and deletes their objects, as compaction and deletion do. */
function mergeRuns({ random, shelf, live, content }: World): void {
  const list = live.newestFirst;
  if (list.length < 2) return;
  const at = random.below(list.length - 1);
  const picked = list.slice(at, at + 2 + random.below(2));
  const merged = new Map<number, TestEntry[]>();
  const isOldest = at + picked.length === list.length;
  for (const [group, entries] of modelOf(picked, content, { first: 0, last: GROUPS - 1 })) {
    const kept = [...entries.values()].filter(({ flags }) => !isOldest || flags !== TOMBSTONE);
    if (kept.length > 0) merged.set(group, kept);
  }
  const reference = merged.size === 0 ? null : shelf.put(writeTestRun(merged, NAMES, 'none', 500));
  if (reference !== null) content.set(reference, merged);
  live.replace(picked, reference);
  for (const { file } of picked) shelf.objects.delete(file);
}

/** Newest entries, tombstones included. */
function modelOf(
  references: readonly RunReference[],
  content: World['content'],
  range: World['range'],
): Model {
  const model: Model = new Map();
  for (const reference of references) {
    for (const [group, entries] of content.get(reference)!) {
      const { first, last } = reference.keyGroups;
      if (group < Math.max(first, range.first) || group > Math.min(last, range.last)) continue;
      const known = model.get(group) ?? new Map<string, TestEntry>();
      model.set(group, known);
      for (const entry of entries) {
        const hex = entry.key.toString('hex');
        if (!known.has(hex)) known.set(hex, entry);
      }
    }
  }
  return model;
}

function expectedRange(model: Model, group: number, from: Buffer, to: Uint8Array | null): string[] {
  return [...(model.get(group)?.values() ?? [])]
    .filter(({ key, flags }) => {
      if (flags === TOMBSTONE || key.compare(from) < 0) return false;
      return to === null || key.compare(to) < 0;
    })
    .sort((a, b) => a.key.compare(b.key))
    .map(showEntry);
}

function showEntry({ key, body, flags }: TestEntry): string {
  return `${key.toString('hex')} ${flags} ${body.toString('hex')}`;
}

function shown(entry: ReturnType<ColdCursor['next']>): string {
  const { key, body, flags } = entry!;
  const rest = Buffer.from(body.raw(body.remaining));
  return showEntry({ key: Buffer.from(key), body: rest, flags });
}

function drain(cursor: ColdCursor): string[] {
  const all: string[] = [];
  for (let entry = cursor.next(); entry !== null; entry = cursor.next()) all.push(shown(entry));
  assert.equal(cursor.next(), null);
  return all;
}

function checkFind(cold: ColdState, model: Model, group: number, key: Buffer): void {
  const entry = cold.find(group, key);
  const expected = model.get(group)?.get(key.toString('hex'));
  if (expected === undefined || expected.flags === TOMBSTONE) assert.equal(entry, null);
  else assert.equal(shown(entry), showEntry(expected));
}

function randomPrefix(random: SeededRandom): Buffer {
  return bytesOf(random.below(2) === 0 ? 0x10 : 0x20ff, randomKey(random));
}

function checkSome(world: World, cold: ColdState): void {
  const { random, live, content, range } = world;
  const model = modelOf(live.newestFirst, content, range);
  for (let i = 0; i < 30; i++) {
    checkFind(cold, model, random.below(GROUPS), randomAddress(random));
  }
  for (let i = 0; i < 6; i++) {
    const group = random.below(GROUPS);
    const prefix = randomPrefix(random);
    const expected = expectedRange(model, group, prefix, keyAfter(prefix));
    assert.deepEqual(drain(cold.scan(group, prefix)), expected);
    const from = random.below(4) === 0 ? Buffer.alloc(0) : randomAddress(random);
    const to = random.below(3) === 0 ? null : randomAddress(random);
    assert.deepEqual(drain(cold.range(group, from, to)), expectedRange(model, group, from, to));
  }
  let count = 0;
  let maxRank = -1;
  const owned = new Set<number>();
  for (let group = range.first; group <= range.last; group++) {
    for (const reference of live.newestFirst) {
      if (group < reference.keyGroups.first || group > reference.keyGroups.last) continue;
      for (const { key, flags, body } of content.get(reference)!.get(group) ?? []) {
        count++;
        owned.add(key.readUInt32BE(0));
        if ((flags & RANKED) === 0) continue;
        maxRank = Math.max(maxRank, body.readDoubleLE((flags & EXPIRES) === 0 ? 0 : 8));
      }
    }
  }
  const tables = cold.tables();
  assert.ok([...owned].every((id) => tables.some((table) => table.id === id)));
  const index = tables.find(({ name }) => name === 'index');
  assert.ok((index?.maxRank ?? -1) >= maxRank, 'ranks are bounded');
  assert.equal(cold.entryBound, count);
}

async function checkPrefetch(world: World, cold: ColdState, cache: BlockCache): Promise<void> {
  const { random, live, content, range, shelf } = world;
  const wanted: ColdAddress[] = [];
  for (let left = 1 + random.below(12); left > 0; left--) {
    const isPrefix = random.below(3) === 0;
    const key = isPrefix ? randomPrefix(random) : randomAddress(random);
    wanted.push({
      keyGroup: range.first + random.below(range.last - range.first + 1),
      key,
      isPrefix,
    });
  }
  const before = live.version;
  const filling = cold.prefetch(wanted);
  if (filling !== null) {
    if (random.below(3) === 0) {
      for (let left = random.below(4); left > 0; left--) await null;
      mergeRuns(world);
    }
    await filling;
  }
  const reads = shelf.reads.length;
  const model = modelOf(live.newestFirst, content, range);
  for (const { keyGroup, key, isPrefix } of wanted) {
    if (!isPrefix) checkFind(cold, model, keyGroup, key as Buffer);
    else {
      const expected = expectedRange(model, keyGroup, key as Buffer, keyAfter(key));
      assert.deepEqual(drain(cold.scan(keyGroup, key)), expected);
    }
  }
  if (cache.budgetBytes === ROOMY && before === live.version) {
    assert.equal(shelf.reads.length, reads, 'nothing was read but by the prefetch');
    assert.equal(cold.prefetch(wanted), null);
  }
}

const SEEDS = Number(process.env.COLD_SEEDS ?? 150);

test('cold state shows what a plain model of its runs shows', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = new SeededRandom(seed);
    const first = random.below(GROUPS);
    const world: World = {
      random,
      shelf: new RunShelf(),
      live: new LiveRuns([]),
      content: new Map(),
      range: { first, last: first + random.below(GROUPS - first) },
    };
    const cache = new BlockCache(random.pick([1, 3_000, 20_000, ROOMY]));
    const cold = openColdState({
      runStore: world.shelf,
      live: world.live,
      keyGroupRange: world.range,
      cache,
    });
    try {
      assert.ok(cold.isEmpty);
      for (let step = 0; step < 12; step++) {
        const draw = random.below(10);
        if (draw < 4 || world.live.newestFirst.length === 0) addRun(world);
        else if (draw < 6) mergeRuns(world);
        else if (draw < 8) await checkPrefetch(world, cold, cache);
        else cold.release();
        checkSome(world, cold);
        assert.equal(cold.residentBytes, cache.usedBytes);
      }
      cold.close();
      assert.equal(cache.usedBytes, 0);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

/** One run of many map entries of few keys, as one table. */
function indexRun(keys: number, entriesEach: number, bodyBytes = 20): TestRun {
  const entries: TestEntry[] = [];
  for (let k = 0; k < keys; k++) {
    for (let i = 0; i < entriesEach; i++) {
      entries.push({
        key: bytesOf(0x20ff, `k${k}`, i),
        body: Buffer.alloc(bodyBytes, k),
        flags: 0,
      });
    }
  }
  return new Map([[0, entries]]);
}

function openOn(runs: readonly TestRun[], compression: 'zstd' | 'none' = 'none') {
  const shelf = new RunShelf();
  const live = new LiveRuns([]);
  for (const run of runs) live.add(shelf.put(writeTestRun(run, NAMES, compression)));
  const cache = new BlockCache(ROOMY);
  const figures = new ColdFigures();
  const keyGroupRange = { first: 0, last: 0 };
  const cold = openColdState({ runStore: shelf, live, keyGroupRange, cache, figures });
  return { shelf, live, cache, figures, cold };
}

test('keyAfter leaves its prefix alone', () => {
  const prefix = Buffer.from([1, 255, 255]);
  assert.deepEqual(keyAfter(prefix), Uint8Array.of(2));
  assert.deepEqual(prefix, Buffer.from([1, 255, 255]));
  assert.equal(keyAfter(Buffer.from([255, 255])), null);
});

test('a scan of a key reads only runs that hold the key', () => {
  const runs = [indexRun(50, 40), indexRun(5, 40)];
  const { cold, figures, shelf } = openOn(runs);
  for (let k = 0; k < 5; k++) {
    assert.equal(drain(cold.scan(0, bytesOf(0x20ff, `k${k}`))).length, 40);
  }
  figures.filtered = 0;
  for (let k = 5; k < 50; k++) {
    assert.equal(drain(cold.scan(0, bytesOf(0x20ff, `k${k}`))).length, 40);
  }
  assert.ok(figures.filtered >= 43, `${figures.filtered} of 45 were filtered`);
  const before = shelf.reads.length;
  for (let k = 50; k < 1_000; k++) {
    assert.equal(drain(cold.scan(0, bytesOf(0x20ff, `k${k}`))).length, 0);
  }
  assert.ok(shelf.reads.length - before < 40, 'what is nowhere is hardly ever read for');
});

test('a first look-up reads footer, directory and one block, exactly', () => {
  const { cold, shelf } = openOn([indexRun(100, 100)]);
  assert.notEqual(cold.find(0, bytesOf(0x20ff, 'k7', 7)), null);
  assert.equal(shelf.reads.length, 3);
  assert.ok(shelf.reads[2]!.length <= 4_096 + 13);
  assert.notEqual(cold.find(0, bytesOf(0x20ff, 'k7', 8)), null);
  assert.equal(shelf.reads.length, 3);
  assert.equal(cold.find(0, bytesOf(0x20ff, 'k7', 100)), null);
});

test('prefetch reads in three rounds, in parallel, neighbours together', async () => {
  const { cold, shelf } = openOn([indexRun(2_000, 10, 100)]);
  const wanted: ColdAddress[] = [];
  for (let k = 0; k < 2_000; k += 25) {
    wanted.push({ keyGroup: 0, key: bytesOf(0x20ff, `k${k}`, 3), isPrefix: false });
    wanted.push({ keyGroup: 0, key: bytesOf(0x20ff, `k${k}`), isPrefix: true });
  }
  await cold.prefetch(wanted);
  assert.ok(shelf.reads.length >= 10 && shelf.reads.length < 2 + wanted.length / 2);
  assert.ok(shelf.pendingMax > 4 && shelf.pendingMax <= 16);
  const before = shelf.reads.length;
  for (const { key, isPrefix } of wanted) {
    if (isPrefix) assert.equal(drain(cold.scan(0, key)).length, 10);
    else assert.notEqual(cold.find(0, key), null);
  }
  assert.equal(shelf.reads.length, before);
});

test('what was prefetched stays until it is released', async () => {
  const { cold, cache, shelf } = openOn([indexRun(500, 10, 100)]);
  drain(cold.range(0, Buffer.alloc(0), null));
  cache.resize(100_000);
  const wanted = [3, 77, 200].map((k) => {
    return { keyGroup: 0, key: bytesOf(0x20ff, `k${k}`, 3), isPrefix: false };
  });
  await cold.prefetch(wanted);
  drain(cold.range(0, Buffer.alloc(0), null)); // drives out what can be
  assert.ok(cache.usedBytes <= 100_000);
  const before = shelf.reads.length;
  for (const { key } of wanted) assert.notEqual(cold.find(0, key), null);
  assert.equal(shelf.reads.length, before);
  cold.release();
  drain(cold.range(0, Buffer.alloc(0), null));
  for (const { key } of wanted) assert.notEqual(cold.find(0, key), null);
  assert.notEqual(shelf.reads.length, before);
});

test('a prefetch reports damage, and keeps nothing of it', async () => {
  const { cold, shelf, live } = openOn([indexRun(500, 10, 100)]);
  const [reference] = live.newestFirst;
  shelf.objects.get(reference!.file)![reference!.offset + 100]! ^= 1;
  const wanted = [{ keyGroup: 0, key: bytesOf(0x20ff, 'k0', 0), isPrefix: false }];
  await assert.rejects(cold.prefetch(wanted)!, CorruptRunError);
  assert.throws(() => cold.find(0, wanted[0]!.key), CorruptRunError);
});

test('a cursor over turns goes on when its runs were merged and deleted', () => {
  const { cold, shelf, live, cache } = openOn([indexRun(40, 40, 100), indexRun(20, 10, 100)]);
  cache.resize(1);
  const all = drain(cold.range(0, Buffer.alloc(0), null));
  const cursor = cold.range(0, Buffer.alloc(0), null);
  const seen: string[] = [];
  for (let i = 0; i < 300; i++) seen.push(shown(cursor.next()));
  const picked = live.newestFirst;
  live.replace(picked, shelf.put(writeTestRun(indexRun(40, 40, 100), NAMES, 'zstd')));
  for (const { file } of picked) shelf.objects.delete(file);
  assert.deepEqual([...seen, ...drain(cursor)], all);
});

test('an entry of megabytes has a block of its own', () => {
  const large = { key: bytesOf(0x10, 'm', undefined), body: Buffer.alloc(8 << 20, 7), flags: 0 };
  const small = ['a', 'z'].map((key) => {
    return { key: bytesOf(0x10, key, undefined), body: Buffer.alloc(10, 1), flags: 0 };
  });
  for (const compression of ['none', 'zstd'] as const) {
    const { cold, shelf } = openOn([new Map([[0, [...small, large]]])], compression);
    assert.equal(cold.find(0, small[1]!.key)!.body.remaining, 10);
    assert.ok(shelf.reads.every(({ length }) => length < 10_000));
    const { body } = cold.find(0, large.key)!;
    assert.ok(Buffer.from(body.raw(body.remaining)).equals(large.body));
    assert.equal(drain(cold.range(0, Buffer.alloc(0), null)).length, 3);
  }
});

test('any flipped bit in what is read lazily is found', () => {
  const random = new SeededRandom(5);
  const run = new Map(
    [...randomRun(random)].map(([group, entries]) => [group, entries.slice(0, 4)]),
  );
  for (const compression of ['none', 'zstd'] as const) {
    const shelf = new RunShelf();
    const reference = shelf.put(writeTestRun(run, NAMES, compression, 200));
    const bytes = shelf.objects.get(reference.file)!;
    const readAll = (): string[] => {
      const cold = openColdState({
        runStore: shelf,
        live: new LiveRuns([reference]),
        keyGroupRange: { first: 0, last: GROUPS - 1 },
        cache: new BlockCache(ROOMY),
      });
      const all = [JSON.stringify(cold.tables())];
      for (let group = 0; group < GROUPS; group++) {
        all.push(...drain(cold.range(group, Buffer.alloc(0), null)));
      }
      return all;
    };
    const expected = readAll();
    // The header is not read, see isKnownFooter; readRestoredRuns and verify look at it.
    for (let bit = 12 * 8; bit < reference.length * 8; bit++) {
      bytes[reference.offset + (bit >> 3)]! ^= 1 << (bit & 7);
      assert.throws(readAll, CorruptRunError, `bit ${bit}`);
      bytes[reference.offset + (bit >> 3)]! ^= 1 << (bit & 7);
    }
    assert.deepEqual(readAll(), expected);
  }
});
