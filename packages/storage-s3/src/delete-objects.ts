import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import type { S3Calls } from './s3-calls.ts';
import { failureOf } from './s3-errors.ts';

const BATCH_NAMES = 1_000;
const SINGLE_CALLS = 16;

/** Whether the store deletes in batches; learnt from its first answer. */
export class DeletionMode {
  canBatch = true;
}

/** `deleteAll` of the S3 driver: batches of 1 000, or many single calls at once. */
export async function deleteObjects(
  calls: S3Calls,
  names: readonly string[],
  mode: DeletionMode,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const name of names) calls.check('delete', name);
  for (let at = 0; at < names.length; at += BATCH_NAMES) {
    const batch = names.slice(at, at + BATCH_NAMES);
    if (mode.canBatch) mode.canBatch = await deleteBatch(calls, batch, signal);
    if (!mode.canBatch) await deleteSingly(calls, batch, signal);
  }
}

/** @returns false if the store knows no such call (GCS) */
function deleteBatch(
  calls: S3Calls,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const Objects = names.map((name) => ({ Key: calls.object(name).Key }));
  const command = { Bucket: calls.bucket, Delete: { Objects, Quiet: true } };
  return calls.send('delete', names[0]!, { signal }, async (client, sending) => {
    try {
      const { Errors } = await client.send(new DeleteObjectsCommand(command), sending);
      const failed = Errors?.find(({ Code }) => Code !== 'NoSuchKey');
      if (failed === undefined) return true;
      throw Object.assign(new Error(failed.Message ?? 'not deleted'), { Code: failed.Code });
    } catch (error) {
      const { code, status } = failureOf(error);
      if (code === 'NotImplemented' || code === 'MethodNotAllowed') return false;
      if (status === 501 || status === 405) return false;
      throw error;
    }
  });
}

async function deleteSingly(
  calls: S3Calls,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let at = 0; at < names.length; at += SINGLE_CALLS) {
    const some = names.slice(at, at + SINGLE_CALLS);
    await Promise.all(some.map((name) => deleteOne(calls, name, signal)));
  }
}

/** Removes one object; nothing happens if there is none. */
export async function deleteOne(
  calls: S3Calls,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  calls.check('delete', name);
  const command = new DeleteObjectCommand(calls.object(name));
  await calls.send('delete', name, { signal }, async (client, sending) => {
    try {
      await client.send(command, sending);
    } catch (error) {
      if (!/^(NoSuchKey|NotFound)$/.test(failureOf(error).code)) throw error;
    }
  });
}
