import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDisk } from '../../test/fake-disk.ts';
import { fakeEnvironment, sinkContext } from '../../test/fake-environment.ts';
import { checkBucket, parseStagedName, partName, stagingFolder } from './part-name.ts';

const environment = fakeEnvironment(new FakeDisk());

test('partName tells the writer, and parseStagedName reads it back', () => {
  const context = sinkContext(environment, {
    operatorUid: 'tägliche/Summen-1',
    instanceId: 'a-b',
    subtaskIndex: 3,
    generation: 12,
    attempt: 4,
  });
  const name = partName(context, 56, 'part', '.csv-2.x');
  assert.equal(name, 'part-t%c3%a4gliche%2fSummen-1-a%2db-s3-g12a4-56.csv-2.x');
  const owner = { subtaskIndex: 3, generation: 12, attempt: 4, counter: 56 };
  assert.deepEqual(parseStagedName(`${name}.pending`), owner);
  const bare = partName(context, 56, 'p', '');
  assert.deepEqual(parseStagedName(`${bare}.inprogress`), owner);
  assert.equal(parseStagedName(name), null);
  assert.equal(parseStagedName('notes.pending'), null);
});

test('names of different instances and operators never meet', () => {
  const names = [
    sinkContext(environment, { operatorUid: 'a-b', instanceId: 'c' }),
    sinkContext(environment, { operatorUid: 'a', instanceId: 'b-c' }),
    sinkContext(environment, { operatorUid: 'a', instanceId: 'c' }),
  ].flatMap((context) => [partName(context, 0, 'part', ''), stagingFolder('out', context)]);
  assert.equal(new Set(names).size, names.length);
});

test('checkBucket lets no part out of the directory', () => {
  for (const bucket of ['', 'a', 'a/b', 'dt=2026-01-01', 'a..b', 'ü']) checkBucket(bucket);
  for (const bucket of ['..', 'a/../b', '/a', 'a/', 'a//b', '.a', 'a/.b', 'a\\b', 'a\0b', 5]) {
    assert.throws(() => checkBucket(bucket as string), { code: 'FILE_SINK_BUCKET_NAME' });
  }
});
