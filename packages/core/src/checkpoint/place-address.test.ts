import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeBelow, schemeOf, splitPlace } from './place-address.ts';

test('placeBelow puts a name into a path and into a URL', () => {
  assert.equal(placeBelow('/data/checkpoints/', 'my job'), '/data/checkpoints/my job');
  assert.equal(placeBelow('/what?', 'job'), '/what?/job');
  assert.equal(placeBelow('/', 'job'), '/job');
  assert.equal(placeBelow('s3://bucket', 'job'), 's3://bucket/job');
  assert.equal(placeBelow('s3://b/p/?region=x&y=/', 'job'), 's3://b/p/job?region=x&y=/');
  assert.equal(placeBelow('file:///data', 'my job/chk-1'), 'file:///data/my%20job/chk-1');
});

test('splitPlace takes the parameters of URLs only', () => {
  assert.deepEqual(splitPlace('/a/b?c'), { path: '/a/b?c', query: '' });
  assert.deepEqual(splitPlace('oss://a/b//?c'), { path: 'oss://a/b', query: '?c' });
});

test('schemeOf does not take a drive for a scheme', () => {
  assert.equal(schemeOf('C:\\data'), null);
  assert.equal(schemeOf('relative/path'), null);
  assert.equal(schemeOf('S3://bucket'), 's3');
});
