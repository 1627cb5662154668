import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { type CheckpointStorage, PROBE_PREFIX } from '@millrace/core/storage';
import type { S3Calls } from './s3-calls.ts';
import { failureOf } from './s3-errors.ts';

interface Upload {
  readonly Key: string;
  readonly UploadId: string;
}

/** `removeLeftovers` of the S3 driver. */
export async function removeLeftovers(
  storage: Pick<CheckpointStorage, 'list' | 'deleteAll'>,
  calls: S3Calls,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const probes = await storage.list(PROBE_PREFIX, options);
  if (probes.length > 0)
    await storage.deleteAll(
      probes.map(({ name }) => name),
      options,
    );
  for (const { Key, UploadId } of await openUploads(calls, signal)) {
    const name = Key.slice(calls.directory.length);
    const command = new AbortMultipartUploadCommand({ Bucket: calls.bucket, Key, UploadId });
    await calls.send('delete', name, { signal }, async (client, sending) => {
      try {
        await client.send(command, sending);
      } catch (error) {
        if (failureOf(error).code !== 'NoSuchUpload') throw error; // completed, or aborted
      }
    });
  }
}

async function openUploads(calls: S3Calls, signal: AbortSignal | undefined): Promise<Upload[]> {
  const found: Upload[] = [];
  let marker: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | null = {};
  while (marker !== null) {
    const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
      Bucket: calls.bucket,
      ...(calls.directory === '' ? {} : { Prefix: calls.directory }),
      ...marker,
    });
    const page = await calls.send('list', '', { signal }, (client, sending) =>
      client.send(command, sending),
    );
    for (const { Key, UploadId } of page.Uploads ?? []) {
      // Not every store looks at the prefix.
      const isOurs = Key?.startsWith(calls.directory) === true;
      if (isOurs && UploadId !== undefined) found.push({ Key, UploadId });
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    const hasMore = IsTruncated === true && KeyMarker !== undefined && KeyMarker !== '';
    marker = hasMore
      ? { KeyMarker, ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }) }
      : null;
  }
  return found;
}
