import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkpointIdOf,
  manifestPath,
  restorePathOf,
  runOriginOf,
  runPath,
  savepointDirectoryName,
  slotPath,
  slotSequenceOf,
} from './paths.ts';

test('slotPath orders names as numbers', () => {
  const names = [1, 9, 10, 99, 100, 123_456_789].map(slotPath);
  assert.deepEqual(names.toSorted(), names);
  assert.deepEqual(names.map(slotSequenceOf), [1, 9, 10, 99, 100, 123_456_789]);
  assert.equal(slotSequenceOf('log/1.json'), null);
});

test('names are taken apart as they were made', () => {
  assert.equal(checkpointIdOf(manifestPath(12)), 12);
  assert.equal(checkpointIdOf('chk-12/other'), null);
  assert.deepEqual(runOriginOf(runPath(3, 2, 'w1-', 7)), { generation: 3, attempt: 2 });
  assert.deepEqual(runOriginOf(runPath(3, 2, '', 7)), { generation: 3, attempt: 2 });
  assert.equal(runOriginOf('shared/1.run'), null);
});

test('restorePathOf understands checkpoints, savepoints and their manifests', () => {
  const checkpoint = { directory: '/d/job', manifest: 'chk-7/manifest.json' };
  assert.deepEqual(restorePathOf('/d/job/chk-7'), checkpoint);
  assert.deepEqual(restorePathOf('/d/job/chk-7/'), checkpoint);
  assert.deepEqual(restorePathOf('/d/job/chk-7/manifest.json'), checkpoint);
  assert.deepEqual(restorePathOf('chk-7'), { ...checkpoint, directory: '.' });
  const savepoint = { directory: 's3://b/save-1', manifest: 'manifest.json' };
  assert.deepEqual(restorePathOf('s3://b/save-1'), savepoint);
  const inRegion = { directory: 's3://b/job?region=x', manifest: 'chk-7/manifest.json' };
  assert.deepEqual(restorePathOf('s3://b/job/chk-7?region=x'), inRegion);
  assert.deepEqual(restorePathOf('s3://b/save-1/manifest.json'), savepoint);
});

test('savepointDirectoryName sorts by time and is a legal name', () => {
  const name = savepointDirectoryName('totals', 1_700_000_000_000, 'ab12');
  assert.equal(name, 'totals-20231114T221320Z-ab12');
});
