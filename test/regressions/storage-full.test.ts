// A full storage kept the log from being written, and the job neither failed nor said a word: the
// call was repeated for ever, as one whose outcome is not known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamError } from '@millrace/core';
import { FakeProcess, settle } from '../../packages/core/src/coordinator/coordinator-test-bed.ts';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';
import {
  StorageFullError,
  StorageUnavailableError,
} from '../../packages/core/src/storage/storage-errors.ts';

type Trouble = typeof StorageFullError | typeof StorageUnavailableError;

/** Has no room for slots while there is trouble. */
class FullStorage extends MemoryStorage {
  trouble: Trouble | null = null;

  override async createIfAbsent(name: string, data: Uint8Array): Promise<'created' | 'exists'> {
    if (this.trouble === null || !name.startsWith('log/')) return super.createIfAbsent(name, data);
    const details = { location: 'memory', operation: 'createIfAbsent', name } as const;
    throw new this.trouble('planned', details);
  }
}

async function triggerAndAcknowledge(process: FakeProcess): Promise<void> {
  process.driver.triggerCheckpoint().catch(() => {});
  await process.acknowledge(1);
  await settle();
}

test('a job whose checkpoint storage is full fails, and goes on when there is room', async () => {
  const storage = new FullStorage();
  const first = await FakeProcess.start(storage);
  storage.trouble = StorageFullError;
  await triggerAndAcknowledge(first);
  await first.time.advance(10_000);
  assert.ok(first.job.calls.includes('abort 1'));
  const failure = first.job.failures[0];
  assert.ok(failure instanceof StreamError && failure.code === 'TOO_MANY_CHECKPOINT_FAILURES');
  assert.match(failure.message, /planned/);
  storage.trouble = null;
  const second = await FakeProcess.start(storage);
  const id = await second.checkpoint();
  assert.ok(second.job.calls.includes(`complete ${id}`));
});

test('a slot that may have been written is not given up because there is no room now', async () => {
  const storage = new FullStorage();
  const process = await FakeProcess.start(storage);
  storage.trouble = StorageUnavailableError;
  await triggerAndAcknowledge(process);
  storage.trouble = StorageFullError;
  await process.time.advance(60_000);
  assert.ok(!process.job.calls.includes('abort 1'));
  storage.trouble = null;
  await process.time.advance(10_000);
  assert.ok(process.job.calls.includes('complete 1'));
});
