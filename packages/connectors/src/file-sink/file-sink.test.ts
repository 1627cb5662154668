// Goal: readers see every record exactly once, whenever the process or the machine dies. Method: a
// small engine over a disk in memory that stops at its n-th call, for every n.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitOutcome, Committer, SinkWriter } from '@millrace/core/connector';
import { FakeDisk } from '../../test/fake-disk.ts';
import { fakeEnvironment, sinkContext } from '../../test/fake-environment.ts';
import { bucketByTime } from './bucket.ts';
import { FileSinkDiskFullError, FilePartLostError } from './file-sink-errors.ts';
import { type FileSinkOptions, fileSink } from './file-sink.ts';
import { csvOut, jsonLinesOut, linesOut } from './output-format.ts';
import type { StagedPart } from './part-name.ts';

interface Checkpoint {
  readonly offset: number;
  readonly committables: readonly StagedPart[];
  readonly states: readonly StagedPart[];
}

/** What outlives the process: as the log of checkpoints does. */
interface Durable {
  checkpoint: Checkpoint | null;
  generation: number;
}

const INPUT = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const EVERY = 3;

async function runToEnd(
  disk: FakeDisk,
  durable: Durable,
  options: FileSinkOptions<string>,
): Promise<void> {
  const context = sinkContext(fakeEnvironment(disk), { generation: ++durable.generation });
  const sink = fileSink(options);
  const committer = sink.createCommitter!(context);
  const restored = durable.checkpoint;
  const states = restored?.states ?? [];
  await commitAll(committer, restored?.committables ?? []);
  await sink.recover!(context, states);
  const writer = sink.createWriter(context, states);
  const checkpoint = async (id: number, offset: number): Promise<void> => {
    const prepared = await writer.prepareCommit(id)();
    durable.checkpoint = {
      offset,
      committables: prepared.committables,
      states: JSON.parse(JSON.stringify(prepared.writerStates)),
    };
    await commitAll(committer, prepared.committables);
  };
  for (let at = restored?.offset ?? 0; at < INPUT.length; at++) {
    writer.write(INPUT[at]!, Number.NaN);
    await writer.ready();
    if (at % EVERY === EVERY - 1) await checkpoint(at, at + 1);
  }
  writer.endInput!();
  await checkpoint(INPUT.length, INPUT.length);
  await writer.close();
  await committer.close();
}

async function commitAll(
  committer: Committer<StagedPart>,
  parts: readonly StagedPart[],
): Promise<void> {
  const outcomes = await committer.commit(parts);
  assert.deepEqual(
    outcomes.filter(({ kind }) => kind !== 'committed' && kind !== 'alreadyCommitted'),
    [],
  );
}

/** Runs until it ends or hangs. @returns whether it ended */
async function ends(run: Promise<void>): Promise<boolean> {
  let ended = false;
  run.then(
    () => {
      ended = true;
    },
    () => {},
  );
  for (let turns = 0; turns < 20 && !ended; turns++) await new Promise(setImmediate);
  return ended;
}

function finished(disk: FakeDisk): Record<string, string> {
  return Object.fromEntries(Object.entries(disk.files()).filter(([path]) => !path.includes('/.')));
}

function records(disk: FakeDisk): string[] {
  return Object.values(finished(disk))
    .flatMap((text) => text.split('\n').slice(0, -1))
    .sort();
}

const policies: readonly (readonly [string, FileSinkOptions<string>])[] = [
  ['onCheckpoint', { directory: 'out', format: linesOut(), rolling: 'onCheckpoint' }],
  ['one part through all checkpoints', { directory: 'out', format: linesOut() }],
  [
    'rolling by size, two buckets',
    {
      directory: 'out',
      format: linesOut(),
      rolling: { maxPartBytes: 2 },
      bucket: (value) => (value < 'e' ? 'early' : 'late/deep'),
    },
  ],
];

for (const [name, options] of policies) {
  for (const death of ['kill', 'power'] as const) {
    test(`file sink writes records once, the ${death} coming at any call: ${name}`, async () => {
      let stops = 0;
      for (let stopAt = 1; ; stopAt++) {
        const disk = new FakeDisk();
        disk.stopAt = stopAt;
        const durable: Durable = { checkpoint: null, generation: 0 };
        if (await ends(runToEnd(disk, durable, options))) break;
        stops++;
        const visible = finished(disk.crash(death));
        const after = disk.crash(death);
        // And again, a little later, so that a recovery dies as well.
        after.stopAt = 1 + (stopAt % 11);
        await ends(runToEnd(after, durable, options));
        const last = after.crash(death);
        assert.ok(await ends(runToEnd(last, durable, options)), `ends after stop ${stopAt}`);
        assert.deepEqual(records(last), INPUT, `stop at call ${stopAt}`);
        for (const [path, text] of Object.entries(visible)) {
          assert.equal(last.files()[path], text, 'a finished part never changes');
        }
        const left = Object.keys(last.files()).filter((path) => path.includes('/.'));
        assert.ok(left.length <= 2, `leftovers: ${left.join()}`);
      }
      assert.ok(stops > 20, `enough places to stop: ${stops}`);
    });
  }
}

function writerOn(
  disk: FakeDisk,
  options: Partial<FileSinkOptions<string>> = {},
  restored: readonly StagedPart[] = [],
  generation = 1,
): {
  writer: SinkWriter<string, StagedPart, StagedPart>;
  commit: (parts: readonly StagedPart[]) => Promise<readonly CommitOutcome[]>;
  recover: (live: readonly StagedPart[]) => Promise<void>;
} {
  const context = sinkContext(fakeEnvironment(disk), { generation });
  const sink = fileSink<string>({ directory: 'out', format: linesOut(), ...options });
  return {
    writer: sink.createWriter(context, restored),
    commit: (parts) => sink.createCommitter!(context).commit(parts),
    recover: (live) => sink.recover!(context, live),
  };
}

test('file sink shows nothing before the commit, and names tell operator and attempt', async () => {
  const disk = new FakeDisk();
  const { writer, commit } = writerOn(disk, { rolling: 'onCheckpoint' });
  writer.write('a', 0);
  const { committables, writerStates } = await writer.prepareCommit(1)();
  assert.deepEqual(Object.keys(disk.files()), [
    'out/.millrace-job-out-abc/part-out-abc-s0-g1a1-0.txt.pending',
  ]);
  assert.deepEqual(writerStates, []);
  assert.deepEqual(await commit(committables), [{ kind: 'committed' }]);
  assert.deepEqual(disk.files(), { 'out/part-out-abc-s0-g1a1-0.txt': 'a\n' });
  assert.deepEqual(await commit(committables), [{ kind: 'alreadyCommitted' }]);
});

test('file sink gives the parts of an abandoned snapshot to the next checkpoint', async () => {
  const { writer } = writerOn(new FakeDisk(), { rolling: 'onCheckpoint' });
  writer.write('a', 0);
  writer.prepareCommit(1); // its persist is never asked for
  writer.write('b', 0);
  assert.equal((await writer.prepareCommit(2)()).committables.length, 2);
});

test('file sink copies the valid prefix and leaves the file of a living zombie alone', async () => {
  const disk = new FakeDisk();
  const zombie = writerOn(disk);
  zombie.writer.write('a', 0);
  const { writerStates } = await zombie.writer.prepareCommit(1)();
  const heir = writerOn(disk, {}, writerStates, 2);
  await heir.writer.ready();
  zombie.writer.write('x', 0);
  await zombie.writer.prepareCommit(2)();
  heir.writer.write('b', 0);
  heir.writer.endInput!();
  await heir.commit((await heir.writer.prepareCommit(2)()).committables);
  assert.deepEqual(Object.values(finished(disk)), ['a\nb\n']);
});

test('file sink finds the prefix of a part that was closed after the checkpoint', async () => {
  const disk = new FakeDisk();
  const first = writerOn(disk);
  first.writer.write('a', 0);
  const { writerStates } = await first.writer.prepareCommit(1)();
  first.writer.write('x', 0);
  first.writer.endInput!();
  await first.writer.prepareCommit(2)();
  const second = writerOn(disk, {}, writerStates, 2);
  await second.recover(writerStates);
  await second.writer.ready();
  second.writer.endInput!();
  await second.commit((await second.writer.prepareCommit(2)()).committables);
  assert.deepEqual(Object.values(finished(disk)), ['a\n']);
});

test('file sink deletes parts of dead attempts only', async () => {
  const disk = new FakeDisk();
  const folder = 'out/.millrace-job-out-abc';
  const names = ['g1a1-0', 'g2a1-0', 'g2a2-0', 'g3a1-0'].map((one) => `part-out-abc-s0-${one}.txt`);
  for (const name of names) disk.put(`${folder}/${name}.pending`, name);
  disk.put(`${folder}/note.txt`, 'a stranger');
  disk.put('out/.millrace-job-out-xyz/part-out-xyz-s0-g1a1-0.txt.pending', 'a fork');
  disk.put('out/part-out-abc-s0-g1a1-9.txt', 'finished');
  const context = sinkContext(fakeEnvironment(disk), { generation: 2, attempt: 2 });
  await fileSink({ directory: 'out', format: linesOut() }).recover!(context, []);
  assert.deepEqual(
    Object.values(disk.files()).sort(),
    ['a stranger', 'a fork', 'finished', names[2]!, names[3]!].sort(),
  );
});

test('file sink fails the commit of a part that is gone', async () => {
  const disk = new FakeDisk();
  const { writer, commit } = writerOn(disk, { rolling: 'onCheckpoint' });
  writer.write('a', 0);
  const { committables } = await writer.prepareCommit(1)();
  const [outcome] = await commit(committables.map((part) => ({ ...part, name: 'gone' })));
  assert.ok(outcome!.kind === 'failed' && outcome.error instanceof FilePartLostError);
});

test('file sink commits beside a fenced process that commits the same', async () => {
  for (let turnsBefore = 0; turnsBefore < 8; turnsBefore++) {
    const disk = new FakeDisk();
    const { writer, commit } = writerOn(disk, { rolling: 'onCheckpoint' });
    writer.write('a', 0);
    const { committables } = await writer.prepareCommit(1)();
    const zombie = commit(committables);
    for (let turn = 0; turn < turnsBefore; turn++) await Promise.resolve();
    let outcome = (await commit(committables))[0]!;
    if (outcome.kind === 'retryLater') outcome = (await commit(committables))[0]!;
    assert.match(outcome.kind, /^(committed|alreadyCommitted)$/, `after ${turnsBefore} turns`);
    await zombie;
    assert.deepEqual(Object.values(disk.files()), ['a\n']);
  }
});

test('file sink refuses options that make no sense', () => {
  const format = linesOut();
  for (const options of [
    { directory: '', format },
    { directory: 'out', format, prefix: '.part' },
    { directory: 'out', format, suffix: '/x' },
    { directory: 'out', format, rolling: { rolloverMs: 0 } },
    { directory: 'out', format, maxBufferedBytes: Number.NaN },
  ]) {
    assert.throws(() => fileSink(options), { code: 'INVALID_OPTION' });
  }
});

test('file sink fails at its start if a restored part is gone', async () => {
  const { writer } = writerOn(new FakeDisk());
  writer.write('a', 0);
  const { writerStates } = await writer.prepareCommit(1)();
  const heir = writerOn(new FakeDisk(), {}, writerStates, 2);
  await assert.rejects(async () => heir.writer.ready(), FilePartLostError);
});

test('file sink reports a full disk and loses nothing', async () => {
  const disk = new FakeDisk();
  disk.capacityBytes = 3;
  const { writer } = writerOn(disk, { rolling: 'onCheckpoint' });
  writer.write('a', 0);
  writer.write('b', 0);
  await assert.rejects(writer.prepareCommit(1)(), (error) => {
    assert.ok(error instanceof FileSinkDiskFullError);
    return error.retry === 'restart';
  });
  assert.throws(() => writer.write('c', 0), FileSinkDiskFullError);
  await writer.close();
});

test('file sink makes records wait when too much is on its way', async () => {
  const { writer } = writerOn(new FakeDisk(), { maxBufferedBytes: 100_000 });
  assert.equal(writer.ready(), null);
  for (let i = 0; i < 200; i++) writer.write('x'.repeat(1_000), 0);
  const wait = writer.ready();
  assert.ok(wait !== null);
  await wait;
  assert.equal(writer.ready(), null);
});

test('file sink merges the parts of several old subtasks', async () => {
  const disk = new FakeDisk();
  const states: StagedPart[] = [];
  for (const subtaskIndex of [0, 1]) {
    const context = sinkContext(fakeEnvironment(disk), { subtaskIndex });
    const sink = fileSink<string>({ directory: 'out', format: linesOut() });
    const writer = sink.createWriter(context, []);
    writer.write(String(subtaskIndex), 0);
    states.push(...(await writer.prepareCommit(1)()).writerStates);
  }
  const { writer, commit } = writerOn(disk, {}, states, 2);
  await writer.ready();
  writer.write('more', 0);
  const first = await writer.prepareCommit(2)();
  assert.equal(first.committables.length, 1);
  writer.endInput!();
  await commit([...first.committables, ...(await writer.prepareCommit(3)()).committables]);
  assert.deepEqual(Object.values(finished(disk)).sort(), ['0\nmore\n', '1\n']);
});

test('file sink puts large and non-ASCII text into the file unchanged', async () => {
  const disk = new FakeDisk();
  const { writer, commit } = writerOn(disk, { rolling: 'onCheckpoint' });
  const lines = Array.from({ length: 300 }, (_, i) => 'Zürich €😀'.repeat(1 + ((i * 37) % 400)));
  lines.push('ü'.repeat(100_000), 'a');
  for (const line of lines) writer.write(line, 0);
  await commit((await writer.prepareCommit(1)()).committables);
  assert.equal(Object.values(finished(disk))[0], `${lines.join('\n')}\n`);
});

test('file sink formats and buckets', async () => {
  assert.equal(jsonLinesOut<object>().encode({ a: 1 }, 0), '{"a":1}\n');
  const csv = csvOut<{ a: string; b: unknown }>({ columns: ['a', 'b'] });
  assert.equal(csv.header, 'a,b\n');
  assert.equal(csv.encode({ a: 'x,"y"', b: null }, 0), '"x,""y""",\n');
  assert.equal(csv.encode({ a: '', b: [1] }, 0), '"",[1]\n');
  assert.throws(() => linesOut().encode('a\nb', 0));
  const bucket = bucketByTime('dt=yyyy-MM-dd/HHmm');
  const context = { timestampMs: Date.UTC(2024, 1, 29, 23, 59), nowMs: () => 0 };
  assert.equal(bucket({}, context), 'dt=2024-02-29/2359');
  assert.equal(bucket({}, { ...context, timestampMs: Number.NaN }), 'dt=1970-01-01/0000');
  const { writer } = writerOn(new FakeDisk(), { bucket: () => '../up' });
  assert.throws(() => writer.write('a', 0), { code: 'FILE_SINK_BUCKET_NAME' });
});
