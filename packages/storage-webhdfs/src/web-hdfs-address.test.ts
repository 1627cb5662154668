import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageAddressError } from '@millrace/core/storage';
import { encodedPath, parseWebHdfsAddress } from './web-hdfs-address.ts';

test('parseWebHdfsAddress reads hosts, user and path', () => {
  assert.deepEqual(parseWebHdfsAddress('webhdfs://name:9870/some/my%20job/'), {
    protocol: 'http:',
    nameNodes: ['name:9870'],
    path: '/some/my job',
    user: null,
    location: 'webhdfs://name:9870/some/my job',
  });
  const pair = parseWebHdfsAddress('SWEBHDFS://me@one,two:1,[::1]:2');
  assert.deepEqual(pair.nameNodes, ['one:9871', 'two:1', '[::1]:2']);
  assert.equal(pair.protocol, 'https:');
  assert.equal(pair.user, 'me');
  assert.equal(pair.path, '');
  assert.equal(pair.location, 'swebhdfs://one:9871,two:1,[::1]:2/');
});

test('parseWebHdfsAddress takes a percent sign that encodes nothing as it is', () => {
  assert.equal(parseWebHdfsAddress('webhdfs://name/100%').path, '/100%');
});

test('parseWebHdfsAddress refuses what HDFS would not take, and shows no user', () => {
  for (const url of [
    ...['webhdfs://', 'webhdfs:///path', 'webhdfs://secret@a b/x', 'webhdfs://name:port/x'],
    ...['webhdfs://name/a:b', 'webhdfs://name/a//b', 'webhdfs://name/a/../b', 'hdfs://name/x'],
    ...['webhdfs://one,/x', 'webhdfs://name/x?op=DELETE', 'webhdfs://name/x#y'],
  ]) {
    assert.throws(
      () => parseWebHdfsAddress(url),
      (error: unknown) => {
        assert.ok(error instanceof StorageAddressError, url);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  }
});

test('encodedPath keeps slashes and encodes what would end the path', () => {
  assert.equal(encodedPath('/a b/c?d#e%'), '/a%20b/c%3Fd%23e%25');
});
