import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  failedCall,
  StorageNotFoundError,
  StorageRefusedError,
  StorageUnavailableError,
} from '@millrace/core/storage';
import type { S3Calls } from './s3-calls.ts';
import { failureOf, s3ErrorOf } from './s3-errors.ts';
import { untilAborted } from './until-aborted.ts';

// An object in parts.
//
//   create --> parts, some at once, each repeated by itself --> complete --> visible
//                   |                                              |  |
//                   +----failed, or given up----> abort <----------+  +--"no such upload"--> look
//
// U1. Only `complete` makes the object visible, as a whole.
// U2. An upload that failed is aborted; if that fails too it is a leftover (removeLeftovers).
// U3. `complete` is repeated when nothing is known of it. A store that had carried it out does not
//     know the upload any more: then the object is there, with the size that was sent.

const PART_COUNT_MAX = 10_000;

/** How an upload goes on. */
export interface UploadOptions {
  readonly partsInFlight: number;
  readonly signal: AbortSignal | undefined;
  /** Takes over what goes on after the call has ended: the abort of an upload. */
  readonly inBackground: (work: Promise<void>) => void;
}

/** Uploads pieces of equal size (but for the last) as one object. Memory: the parts in flight. */
export async function uploadInParts(
  calls: S3Calls,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<void> {
  const { signal } = options;
  const stop = new AbortController();
  const giveUp = (): void => stop.abort(signal!.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', giveUp);
  let uploadId: string | null = null;
  try {
    uploadId = await begin(calls, name, stop.signal);
    const parts = await sendParts(calls, name, uploadId, pieces, stop, options.partsInFlight);
    await complete(calls, name, uploadId, parts, stop.signal);
  } catch (error) {
    stop.abort(error); // parts that are still under way
    if (uploadId !== null) options.inBackground(abort(calls, name, uploadId));
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly sizeBytes: number;
}

async function begin(calls: S3Calls, name: string, signal: AbortSignal): Promise<string> {
  const { UploadId } = await calls.send('put', name, { signal }, (client, sending) =>
    client.send(new CreateMultipartUploadCommand(calls.object(name)), sending),
  );
  if (UploadId !== undefined) return UploadId;
  throw new StorageRefusedError(
    `${failedCall(calls.details('put', name))}: the store gave the upload no id`,
    calls.details('put', name),
  );
}

async function sendParts(
  calls: S3Calls,
  name: string,
  uploadId: string,
  pieces: AsyncIterable<Uint8Array>,
  stop: AbortController,
  partsInFlight: number,
): Promise<SentPart[]> {
  const sent: SentPart[] = [];
  const underWay = new Set<Promise<void>>();
  const send = async (partNumber: number, bytes: Uint8Array): Promise<void> => {
    const part = { UploadId: uploadId, PartNumber: partNumber, Body: bytes };
    const { ETag } = await calls.send(
      'put',
      name,
      { signal: stop.signal, sentBytes: bytes.length },
      (client, sending) =>
        client.send(new UploadPartCommand({ ...calls.object(name), ...part }), sending),
    );
    sent.push({ PartNumber: partNumber, ETag, sizeBytes: bytes.length });
  };
  let partNumber = 0;
  for await (const piece of untilAborted(pieces, stop.signal)) {
    if (++partNumber > PART_COUNT_MAX) throw tooManyParts(calls, name);
    const work = send(partNumber, piece).then(
      () => void underWay.delete(work),
      (error: unknown) => stop.abort(error), // seen by the next wait
    );
    underWay.add(work);
    if (underWay.size >= partsInFlight) await Promise.race(underWay);
    stop.signal.throwIfAborted();
  }
  await Promise.all(underWay);
  stop.signal.throwIfAborted();
  return sent.sort((a, b) => a.PartNumber - b.PartNumber);
}

async function complete(
  calls: S3Calls,
  name: string,
  uploadId: string,
  parts: readonly SentPart[],
  signal: AbortSignal,
): Promise<void> {
  const MultipartUpload = { Parts: parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) };
  const command = { ...calls.object(name), UploadId: uploadId, MultipartUpload };
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  await calls.send('put', name, { signal }, async (client, sending) => {
    try {
      await client.send(new CompleteMultipartUploadCommand(command), sending);
    } catch (error) {
      if (failureOf(error).code !== 'NoSuchUpload') throw error;
      const found = await client
        .send(new HeadObjectCommand(calls.object(name)), sending)
        .catch((cause: unknown) => {
          throw lostUpload(calls, name, cause);
        });
      if (found.ContentLength !== sizeBytes) throw lostUpload(calls, name, error); // U3
    }
  });
}

function lostUpload(calls: S3Calls, name: string, cause: unknown): Error {
  const seen = s3ErrorOf(cause, calls.details('put', name));
  if (!(seen instanceof StorageNotFoundError || seen instanceof StorageUnavailableError)) {
    return seen;
  }
  return new StorageUnavailableError(
    `${failedCall(calls.details('put', name))}: somebody removed its unfinished upload`,
    calls.details('put', name),
    { cause, hint: 'Another process has taken the directory over; or a rule removes uploads.' },
  );
}

async function abort(calls: S3Calls, name: string, uploadId: string): Promise<void> {
  const upload = { ...calls.object(name), UploadId: uploadId };
  await calls
    .send('put', name, {}, (client, sending) =>
      client.send(new AbortMultipartUploadCommand(upload), sending),
    )
    .catch(() => {}); // U2
}

function tooManyParts(calls: S3Calls, name: string): StorageRefusedError {
  return new StorageRefusedError(
    `${failedCall(calls.details('put', name))}: more than ${PART_COUNT_MAX} parts`,
    calls.details('put', name),
    { hint: 'Give larger parts: ?partBytes= in the URL.' },
  );
}
