import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileStorage } from '../storage/file-storage.ts';
import { importDriver } from './import-driver.ts';
import { StorageDriverMissingError, UnsupportedStorageError } from './job-errors.ts';
import { nodeEnvironment } from './node-environment.ts';
import { storageOf } from './storage-of.ts';

const environment = nodeEnvironment();

test('storageOf opens paths and file URLs as directories of the disk', async () => {
  for (const [place, location] of [
    ['/some/where/', '/some/where'],
    ['C:\\checkpoints', 'C:\\checkpoints'],
    ['file:///some/my%20job', '/some/my job'],
  ] as const) {
    const storage = await storageOf(place, environment);
    assert.ok(storage instanceof FileStorage);
    assert.equal(storage.location, location);
  }
});

test('storageOf loads the package that a URL needs', async () => {
  const storage = await storageOf('webhdfs://name:9870/some/job', environment, 'read');
  assert.equal(storage.location, 'webhdfs://name:9870/some/job');
  await storage.close();
});

test('storageOf refuses a URL that no driver knows', async () => {
  const isRefusal = (error: unknown): boolean => error instanceof UnsupportedStorageError;
  await assert.rejects(storageOf('gopher://some/where', environment), isRefusal);
});

test('importDriver says what to install', async () => {
  const name = '@millrace/storage-that-nobody-has';
  await assert.rejects(importDriver(name, 's3://b/p'), (error: unknown) => {
    assert.ok(error instanceof StorageDriverMissingError);
    assert.match(error.message, /"s3:\/\/b\/p" needs the package @millrace\/storage-that-nobody/);
    assert.equal(error.hint, `Run: npm i ${name}`);
    return true;
  });
});
