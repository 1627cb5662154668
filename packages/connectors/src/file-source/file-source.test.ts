// Goal: every record of every file once, in order per split, wherever the job is stopped. Method:
// a disk in memory, chunks of a few bytes, a snapshot and a restore after every poll.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { FakeDisk } from '../../test/fake-disk.ts';
import { fakeEnvironment } from '../../test/fake-environment.ts';
import { drainWithRestores, SourceDriver } from '../../test/source-driver.ts';
import { csv } from './csv.ts';
import type { FileEnumeratorState } from './file-enumerator.ts';
import type { FileSplit } from './file-split.ts';
import { fileSource, type FileSourceOptions } from './file-source.ts';
import { jsonLines, lines } from './lines.ts';

const tiny = { chunkBytes: 7, readAheadBytes: 20 } as const;

function diskOf(files: Record<string, string | Uint8Array>): FakeDisk {
  const disk = new FakeDisk();
  for (const [path, content] of Object.entries(files)) disk.put(path, content);
  return disk;
}

function driverOf<T>(
  disk: FakeDisk,
  options: FileSourceOptions<T>,
): SourceDriver<T, FileSplit, FileEnumeratorState> {
  return new SourceDriver(fileSource(options), fakeEnvironment(disk));
}

const numbers = Array.from({ length: 60 }, (_, i) => ({ i, text: 'Zürich'.repeat(i % 4) }));
const numberLines = `${numbers.map((one) => JSON.stringify(one)).join('\n')}\n`;

test('fileSource resumes at the exact record: plain, gzip, zstd', async () => {
  const half = numberLines.indexOf('\n', 700) - 3;
  for (const [name, pack] of [
    ['a.jsonl', (text: string) => Buffer.from(text)],
    ['a.jsonl.gz', (text: string) => gzipSync(text)],
    ['a.jsonl.zst', (text: string) => zstdCompressSync(text)],
  ] as const) {
    // Two members, as `cat a.gz b.gz` makes them; the border is within a record.
    const content = Buffer.concat([
      pack(numberLines.slice(0, half)),
      pack(numberLines.slice(half)),
    ]);
    const environment = fakeEnvironment(diskOf({ [`in/${name}`]: content }));
    for (const maxRecords of [1, 7, 100]) {
      const source = fileSource({ path: `in/${name}`, format: jsonLines(), ...tiny });
      assert.deepEqual(await drainWithRestores(source, environment, maxRecords), numbers, name);
    }
  }
});

test('fileSource gives every line once, whatever the ranges', async () => {
  const texts = Array.from({ length: 40 }, (_, i) => `${i}-${'x'.repeat((i * 7) % 13)}`);
  const variants = [`${texts.join('\n')}\n`, texts.join('\r\n'), texts.join('\n\n')];
  for (const content of variants) {
    const environment = fakeEnvironment(diskOf({ 'in/a': content }));
    for (let splitSizeBytes = 1; splitSizeBytes < 60; splitSizeBytes++) {
      const source = fileSource({ path: 'in/a', format: lines(), splitSizeBytes, ...tiny });
      const records = await new SourceDriver(source, environment, 2).drain(5);
      assert.deepEqual(records.sort(), [...texts].sort(), `ranges of ${splitSizeBytes} bytes`);
      if (splitSizeBytes % 10 !== 0) continue;
      const restored = await drainWithRestores(source, environment, 2);
      assert.deepEqual(restored.sort(), [...texts].sort(), `restored, ${splitSizeBytes} bytes`);
    }
  }
});

test('fileSource reads a directory in order and leaves out unfinished files', async () => {
  const disk = diskOf({
    'in/b.txt': 'b1\nb2',
    'in/a.txt': 'a1\n',
    'in/.hidden.txt': 'x\n',
    'in/_temporary/c.txt': 'x\n',
    'in/a.txt.tmp': 'x\n',
    'in/c.txt.inprogress': 'x\n',
    'in/d.log': 'x\n',
    'in/deep/e.txt': 'e1\n',
    'in/empty.txt': '',
  });
  const options = { directory: 'in', format: lines(), include: '*.txt' } as const;
  assert.deepEqual(await driverOf(disk, options).drain(), ['a1', 'b1', 'b2']);
  const deep = driverOf(disk, { ...options, recursive: true });
  assert.deepEqual(await deep.drain(), ['a1', 'b1', 'b2', 'e1']);
  assert.deepEqual(deep.finishedSplits, ['in/a.txt:0', 'in/b.txt:0', 'in/deep/e.txt:0']);
});

test('fileSource finds new files, once each, over a restore too', async () => {
  const disk = diskOf({ 'in/a': 'a\n' });
  const environment = fakeEnvironment(disk);
  const source = fileSource({ directory: 'in', format: lines(), discoverEveryMs: 1_000 });
  assert.equal(source.boundedness, 'continuous');
  const first = new SourceDriver(source, environment, 2);
  const settle = async (driver: typeof first): Promise<string[]> => {
    const records: string[] = [];
    for (let i = 0; i < 20; i++) records.push(...(await driver.step(10))!);
    return records;
  };
  assert.deepEqual(await settle(first), ['a']);
  disk.put('in/c', 'c\n');
  assert.deepEqual(await settle(first), []);
  environment.advance(1_000);
  assert.deepEqual(await settle(first), ['c']);
  disk.put('in/b', 'b\n');
  const snapshot = first.snapshot();
  await first.close();
  assert.deepEqual(snapshot.enumerator.seen, [0, 'in/a', 3, 'c']);
  const second = new SourceDriver(source, environment, 1, snapshot);
  assert.deepEqual(await settle(second), ['b']);
});

test('fileSource reads CSV: header, quotes, line breaks in fields, types', async () => {
  const content = [
    '\uFEFFid,"na""me",amount,ok\r\n1,"Smith, ""J""\nJr.",1.5,true\r\n\r\n',
    '2,Ü,,false\r\n3,"",7,true',
  ].join('');
  const environment = fakeEnvironment(diskOf({ 'in/a.csv': content }));
  const columns = { id: 'integer', 'na"me': 'string', amount: 'number?' } as const;
  const typed = fileSource({ path: 'in/a.csv', format: csv({ columns }), ...tiny });
  for (const maxRecords of [1, 2, 9]) {
    assert.deepEqual(await drainWithRestores(typed, environment, maxRecords), [
      { id: 1, 'na"me': 'Smith, "J"\nJr.', amount: 1.5 },
      { id: 2, 'na"me': 'Ü', amount: null },
      { id: 3, 'na"me': '', amount: 7 },
    ]);
  }
  const untyped = new SourceDriver(fileSource({ path: 'in/a.csv', format: csv() }), environment);
  assert.deepEqual((await untyped.drain())[1], { id: '2', 'na"me': 'Ü', amount: '', ok: 'false' });
  assert.deepEqual(
    untyped.origins,
    [2, 5, 6].map((line) => `in/a.csv, line ${line}`),
  );
});

test('fileSource splits CSV without line breaks in fields, with one header', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => `${i},${'y'.repeat(i % 5)}`);
  const environment = fakeEnvironment(diskOf({ 'in/a.csv': `n,text\n${rows.join('\n')}` }));
  const format = csv({ columns: { n: 'integer' }, multiline: false });
  for (let splitSizeBytes = 1; splitSizeBytes < 40; splitSizeBytes++) {
    const source = fileSource({ path: 'in/a.csv', format, splitSizeBytes, ...tiny });
    const read = await new SourceDriver(source, environment, 3).drain();
    assert.deepEqual(
      read.map(({ n }) => n).sort((a, b) => a - b),
      rows.map((_, i) => i),
    );
  }
});

test('fileSource reads CSV without a header by the given columns', async () => {
  const format = csv({ header: false, columns: ['a', 'b'], delimiter: ';' });
  const driver = driverOf(diskOf({ 'in/a': '1;"x;y"\n2;z\n' }), { path: 'in/a', format });
  assert.deepEqual(await driver.drain(), [
    { a: '1', b: 'x;y' },
    { a: '2', b: 'z' },
  ]);
});

const broken = Buffer.concat([
  Buffer.from('{"a":1}\n\n{"a":\n'),
  Buffer.from([0x22, 0xff, 0x22, 10]),
  Buffer.from('{"a":2}'),
]);

test('fileSource fails at a malformed record and says where', async () => {
  const driver = driverOf(diskOf({ 'in/a': broken }), { path: 'in/a', format: jsonLines() });
  await assert.rejects(driver.drain(1), (error: Error & { details: object; code: string }) => {
    assert.equal(error.code, 'MALFORMED_RECORD');
    assert.match(error.message, /^in\/a, line 3 \(byte 9\) is no JSON lines record/);
    assert.deepEqual(error.details, { path: 'in/a', line: 3, offset: 9 });
    return true;
  });
});

test('fileSource skips and counts malformed records, or hands them over', async () => {
  const disk = diskOf({ 'in/a': broken });
  const options = { path: 'in/a', format: jsonLines(), ...tiny } as const;
  const skipping = driverOf(disk, { ...options, onMalformed: 'skip' });
  assert.deepEqual(await skipping.drain(), [{ a: 1 }, { a: 2 }]);
  assert.equal(skipping.metrics.counter('malformedRecordsSkipped').value, 2);
  const keeping = driverOf(disk, { ...options, onMalformed: 'dead-letter' });
  assert.deepEqual(await keeping.drain(), [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(
    keeping.deadLetters.map(({ raw, origin }) => [raw, origin]),
    [
      ['{"a":', 'in/a, line 3'],
      ['"\uFFFD"', 'in/a, line 4'],
    ],
  );
  assert.equal(keeping.deadLetters[1]!.error, 'the text is not UTF-8');
  assert.equal(keeping.metrics.counter('malformedRecordsDeadLettered').value, 2);
});

test('fileSource validates with a Standard Schema', async () => {
  const positive = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' && value > 0
          ? { value: value * 2 }
          : { issues: [{ message: 'must be positive', path: ['a', { key: 0 }] }] },
    },
  } as const;
  const driver = driverOf(diskOf({ 'in/a': '1\n-1\n2\n' }), {
    path: 'in/a',
    format: jsonLines({ validate: positive }),
    onMalformed: 'dead-letter',
  });
  assert.deepEqual(await driver.drain(), [2, 4]);
  assert.equal(driver.deadLetters[0]!.error, 'a.0: must be positive');
  const later = { '~standard': { ...positive['~standard'], validate: async () => ({ value: 1 }) } };
  const failing = driverOf(diskOf({ 'in/a': '1\n' }), {
    path: 'in/a',
    format: jsonLines({ validate: later }),
    onMalformed: 'skip',
  });
  await assert.rejects(failing.drain(), { code: 'ASYNC_SCHEMA' });
});

test('fileSource refuses what it cannot read, each with its code', async () => {
  const code = async (disk: FakeDisk, options: Partial<FileSourceOptions<string>>, code: string) =>
    assert.rejects(
      driverOf(disk, { path: 'in/a', format: lines(), ...options } as never).drain(),
      { code },
      code,
    );
  await code(
    diskOf({ 'in/a': `ok\n${'x'.repeat(99)}\n` }),
    { maxRecordBytes: 50 },
    'LINE_TOO_LONG',
  );
  await code(diskOf({}), {}, 'SOURCE_FILE_MISSING');
  const options = { path: undefined, directory: 'nowhere' } as never;
  await code(diskOf({}), options, 'SOURCE_FILE_MISSING');
  const packed = gzipSync('some text\n'.repeat(100));
  const damaged = 'COMPRESSED_FILE_DAMAGED';
  await code(diskOf({ 'in/a': packed.subarray(0, -9) }), { compression: 'gzip' }, damaged);
  await code(diskOf({ 'in/a': 'no gzip' }), { compression: 'gzip' }, damaged);
  await code(diskOf({ 'in/a': 'a,b\n1,"2' }), { format: csv() as never }, 'MALFORMED_RECORD');
  await code(diskOf({ 'in/a': 'a,a\n1,2' }), { format: csv() as never }, 'MALFORMED_RECORD');
});

test('fileSource notices that a file was changed or deleted under it', async () => {
  const change: Record<string, (disk: FakeDisk) => void> = {
    SOURCE_FILE_CHANGED: (disk) => disk.put('in/a', 'a\n'.repeat(50)),
    SOURCE_FILE_MISSING: (disk) => void disk.delete('in/a'),
  };
  for (const [code, act] of Object.entries(change)) {
    const disk = diskOf({ 'in/a': 'a\n'.repeat(100) });
    const driver = driverOf(disk, { path: 'in/a', format: lines(), ...tiny });
    while ((await driver.step(2))!.length === 0);
    act(disk);
    await assert.rejects(driver.drain(), { code });
  }
});

test('fileSource and csv refuse options that make no sense', () => {
  const format = lines();
  for (const make of [
    () => fileSource({ format } as never),
    () => fileSource({ path: 'a', directory: 'b', format } as never),
    () => fileSource({ directory: '', format }),
    () => fileSource({ path: 'a', format, splitSizeBytes: 0.5 }),
    () => fileSource({ path: 'a', format, discoverEveryMs: 0 }),
    () => csv({ delimiter: '"' }),
    () => csv({ header: false } as never),
    () => csv({ columns: { a: 'float' } } as never).createDecoder('a'),
  ]) {
    assert.throws(make, { code: 'INVALID_OPTION' });
  }
});
