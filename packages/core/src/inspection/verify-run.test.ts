// Goal: no bit of a run can change unnoticed, and no run that was written wrongly passes. Method:
// bits of every byte of small runs of each format are flipped; runs are written with what is wrong.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { keyGroupOf } from '../element/key-group.ts';
import { checksum } from '../state/run-compression.ts';
import { TOMBSTONE } from '../state/run-format.ts';
import { RunWriter } from '../state/run-writer.ts';
import type { RunReference } from '../state/snapshot.ts';
import { UnknownRunVersionError } from '../state/state-errors.ts';
import { openRun, openSection, type RunSource } from './open-run.ts';
import { type EntryToWrite, RunTestBed, tableOf } from './inspection-test-bed.ts';
import { type Damage, verifyRun } from './verify-run.ts';

const FORMATS = new URL('../../../../test/formats/', import.meta.url);
const MAX_PARALLELISM = 4;

async function damagesOf(source: RunSource, run: RunReference): Promise<Damage[]> {
  const damages: Damage[] = [];
  await verifyRun(source, run, MAX_PARALLELISM, {
    onDamage: (damage) => damages.push(damage),
    onProgress: () => {},
  });
  return damages;
}

/** Flips two bits of each byte of a run; all must be noticed, at a place within it. */
async function flipAll(bytes: Uint8Array, run: RunReference, source: RunSource): Promise<void> {
  assert.deepEqual(await damagesOf(source, run), []);
  for (let at = run.offset; at < run.offset + run.length; at++) {
    for (const bit of [at % 8, (at + 3) % 8]) {
      bytes[at]! ^= 1 << bit;
      try {
        const damages = await damagesOf(source, run);
        assert.ok(damages.length > 0, `bit ${bit} of byte ${at - run.offset} of ${run.file}`);
        for (const { file, offset } of damages) {
          assert.equal(file, run.file);
          assert.ok(offset >= run.offset && offset <= run.offset + run.length);
        }
      } catch (error) {
        assert.ok(error instanceof UnknownRunVersionError, String(error));
      }
      bytes[at]! ^= 1 << bit;
    }
  }
}

const entries: readonly EntryToWrite[] = ['a', 'b', 'c', 'd', 'e'].flatMap((key, i) => [
  { table: tableOf('box', 'value', 2), key, value: { n: i, name: key }, expiresAtMs: 5_000 + i },
  { table: tableOf('index', 'map'), key, sub: 'one', value: i, rank: i },
  { table: tableOf('items', 'list'), key, sub: 0, value: 'x' },
  { table: tableOf('items', 'list'), key, sub: 1 },
  { table: tableOf('timers/event', 'timer', 1, 'sub'), key, sub: 1_000 * i, value: null },
]);

test('verifyRun notices a flipped bit in any byte of runs of format version 1', async () => {
  for (const compression of ['none', 'zstd']) {
    const list = readFileSync(new URL(`runs-v1/${compression}.json`, FORMATS), 'utf8');
    for (const run of JSON.parse(list) as RunReference[]) {
      const bytes = readFileSync(new URL(`runs-v1/${run.file}`, FORMATS));
      const source: RunSource = {
        read: async ({ offset: start, length: all }, offset, length) =>
          bytes.subarray(start + offset, start + Math.min(offset + length, all)),
      };
      await flipAll(bytes, run, source);
    }
  }
});

test('verifyRun notices a flipped bit in any byte of runs of format version 2', async () => {
  for (const compression of ['none', 'zstd'] as const) {
    const bed = new RunTestBed(MAX_PARALLELISM);
    const run = await bed.write('shared/1-1-1.run', entries, compression);
    await flipAll(bed.files.get(run.file)!, run, bed);
  }
});

test('verifyRun notices a flipped bit in any byte of an inline run', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const written = await bed.write('inline/1-1-1', entries.slice(0, 5));
  const bytes = Buffer.from(bed.files.get(written.file)!.subarray(written.offset));
  const run = { ...written, offset: 0, inline: bytes.toString('base64') };
  const source: RunSource = {
    read: async (_run, offset, length) => bytes.subarray(offset, offset + length),
  };
  await flipAll(bytes, run, source);
});

test('verifyRun goes on after damage and tells each place', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const many = Array.from(
    { length: 2_000 },
    (_, i): EntryToWrite => ({ table: tableOf('box', 'value'), key: i, value: `value ${i}` }),
  );
  const run = await bed.write('shared/1-1-1.run', many);
  const opened = await openRun(bed, run);
  const places: number[] = [];
  for (const place of opened.footer.sections.slice(1, 3)) {
    const { directory } = await openSection(bed, opened, place);
    for (const block of [0, 2]) {
      places.push(run.offset + place.start + directory.blockStart(block));
    }
  }
  for (const at of places) bed.files.get(run.file)![at + 100]! ^= 1;
  assert.deepEqual(
    await damagesOf(bed, run),
    places.map((offset) => ({ file: run.file, offset, reason: 'the checksum of a block' })),
  );
});

test('verifyRun finds a run cut off anywhere', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const run = await bed.write('shared/1-1-1.run', entries);
  const bytes = bed.files.get(run.file)!;
  for (let length = 0; length < run.length; length += 7) {
    bed.files.set(run.file, bytes.subarray(0, run.offset + length));
    const damages = await damagesOf(bed, run);
    assert.ok(damages.some(({ reason }) => reason === 'the file ends too early'));
  }
});

test('verifyRun finds what was written wrongly, with all checksums right', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const stray = await bed.write('stray', [
    { table: tableOf('box', 'value'), key: 'a', value: 1, keyGroup: 1 },
    { table: tableOf('box', 'value'), key: 'a', value: 1, keyGroup: 2 },
  ]);
  const reasons = (await damagesOf(bed, stray)).map(({ reason }) => reason);
  assert.ok(reasons.includes('a key of another key group'), reasons.join());

  const good = await bed.write('good', entries);
  const wrong: readonly [Partial<RunReference>, RegExp][] = [
    [{ entries: good.entries + 1 }, /number of entries of the run/],
    [{ crc32: good.crc32 ^ 1 }, /checksum of the whole run/],
    [{ length: good.length - 1 }, /./],
  ];
  for (const [change, reason] of wrong) {
    const damages = await damagesOf(bed, { ...good, ...change });
    assert.match(damages.map((damage) => damage.reason).join(), reason);
  }
});

test('verifyRun finds entries that no writer of ours makes', async () => {
  const table = tableOf('box', 'value');
  const key = (text: string, id = table.id): number[] => [
    ...[24, 16, 8, 0].map((shift) => (id >>> shift) & 0xff),
    ...[0x20, ...Buffer.from(text), 0], // string
    0x02, // no sub key
  ];
  const body = [1, 0]; // version 1, null
  const cases: readonly [readonly { key: number[]; body: number[]; flags?: number }[], RegExp][] = [
    [[{ key: key('a'), body }], /^$/],
    [
      [
        { key: key('k'), body },
        { key: key('a'), body },
      ],
      /an index that leads to another block/,
    ],
    [
      [
        { key: key('a'), body },
        { key: key('a'), body },
      ],
      /out of order/,
    ],
    [[{ key: key('a', 7), body }], /unknown table/],
    [[{ key: [...key('a'), 0x02], body }], /bytes after a key/],
    [[{ key: key('a'), body: [1, 0, 0] }], /bytes after a value/],
    [[{ key: key('a'), body: [1, 99] }], /unknown type of value/],
    [[{ key: key('a'), body, flags: TOMBSTONE }], /removed entry with a body/],
    [[{ key: key('b'), body }], /another key group/],
  ];
  const keyGroup = keyGroupOf('a', MAX_PARALLELISM);
  assert.equal(keyGroupOf('k', MAX_PARALLELISM), keyGroup);
  for (const [written, reason] of cases) {
    const writer = new RunWriter('none');
    writer.beginSection(keyGroup, { tables: [{ ...table, order: 'key' }], shapes: [] });
    for (const entry of written) {
      const bytes = Buffer.from([...entry.key, ...entry.body]);
      writer.add(bytes, 0, entry.key.length, bytes.length, entry.flags ?? 0);
    }
    writer.endSection();
    const bed = new RunTestBed(MAX_PARALLELISM);
    const run = bed.keep('odd', writer.finish()!);
    const reasons = (await damagesOf(bed, run)).map((damage) => damage.reason);
    assert.match(reasons.join(), reason);
  }
});

test('verifyRun reads each byte about once', async () => {
  const bed = new RunTestBed(MAX_PARALLELISM);
  const many = Array.from(
    { length: 5_000 },
    (_, i): EntryToWrite => ({ table: tableOf('box', 'value'), key: i, value: `value ${i}` }),
  );
  const run = await bed.write('shared/1-1-1.run', many);
  assert.equal(checksum(bed.files.get(run.file)!.subarray(run.offset)), run.crc32);
  bed.readBytes = 0;
  assert.deepEqual(await damagesOf(bed, run), []);
  assert.ok(bed.readBytes < 1.1 * run.length, `${bed.readBytes} of ${run.length}`);
});
