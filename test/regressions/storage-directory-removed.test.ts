// A checkpoint was written while a sweep deleted the last run and with it the directory. The
// storage went on believing that the directory was there, and no checkpoint succeeded any more
// until the process was started anew.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storageOf } from '@millrace/core/checkpoint';
import { VirtualEnvironment } from '@millrace/testing';

test('an object can be put while the last one beside it is deleted, and afterwards', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const environment = new VirtualEnvironment({ seed });
    const storage = await storageOf('/checkpoints', environment);
    const bytes = [new Uint8Array([1])];
    await environment.runUntil(storage.put('shared/a', bytes));
    await environment.runUntil(
      Promise.all([storage.delete('shared/a'), storage.put('shared/b', bytes)]),
    );
    await environment.runUntil(storage.put('shared/c', bytes));
    const names = (await environment.runUntil(storage.list('shared/'))).map(({ name }) => name);
    assert.deepEqual(names, ['shared/b', 'shared/c'], `seed ${seed}`);
  }
});
