import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDisk } from '../test/fake-disk.ts';
import { fakeEnvironment, sinkContext } from '../test/fake-environment.ts';
import { memorySink } from './memory-sink.ts';
import { printSink } from './print-sink.ts';

const environment = fakeEnvironment(new FakeDisk());

test('memorySink shows what is committed, once', async () => {
  const sink = memorySink<number>();
  const context = sinkContext(environment);
  const writer = sink.createWriter(context, []);
  const committer = sink.createCommitter!(context);
  writer.write(1, 0);
  writer.prepareCommit(1); // abandoned
  writer.write(2, 0);
  const { committables } = await writer.prepareCommit(2)();
  assert.deepEqual(sink.values(), []);
  await committer.commit(committables);
  assert.deepEqual(sink.values(), [1, 2]);
  const again = await committer.commit(committables);
  assert.deepEqual(new Set(again.map(({ kind }) => kind)), new Set(['alreadyCommitted']));
  assert.deepEqual(sink.values(), [1, 2]);
  assert.deepEqual((await writer.prepareCommit(3)()).committables, []);
  sink.clear();
  assert.deepEqual(sink.values(), []);
});

test('memorySink forgets what dead attempts prepared, and keeps what a fork prepared', async () => {
  const sink = memorySink<string>();
  const prepare = async (over: Parameters<typeof sinkContext>[1], value: string) => {
    const writer = sink.createWriter(sinkContext(environment, over), []);
    writer.write(value, 0);
    return (await writer.prepareCommit(1)()).committables;
  };
  const dead = await prepare({ attempt: 1 }, 'dead');
  const fork = await prepare({ instanceId: 'fork' }, 'fork');
  const own = await prepare({ attempt: 2 }, 'own');
  const context = sinkContext(environment, { attempt: 2 });
  await sink.recover!(context, []);
  const outcomes = await sink.createCommitter!(context).commit([...dead, ...fork, ...own]);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['alreadyCommitted', 'committed', 'committed'],
  );
  assert.deepEqual(sink.values(), ['fork', 'own']);
});

test('printSink writes lines at the end of a batch and before a checkpoint', async () => {
  let text = '';
  const stream = {
    write(more: string) {
      text += more;
    },
  };
  const sink = printSink<unknown>({ prefix: 'out>', stream });
  assert.equal(sink.createCommitter, undefined);
  const writer = sink.createWriter(sinkContext(environment), []);
  writer.write('plain', 0);
  writer.write({ a: 1n }, 0);
  assert.equal(text, '');
  assert.equal(writer.ready(), null);
  assert.equal(text, 'out> plain\nout> {"a":"1n"}\n');
  writer.write(undefined, 0);
  assert.deepEqual(await writer.prepareCommit(1)(), { committables: [], writerStates: [] });
  assert.match(text, /out> undefined\n$/);
});
