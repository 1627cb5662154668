import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { S3Calls, Sending } from './s3-calls.ts';
import { failureOf } from './s3-errors.ts';
import type { CreationCondition } from './s3-options.ts';

/** How objects are created; changed once, by the probe. */
export interface CreationMode {
  /** null: the store cannot; look first, then put. Two may then both believe that they won. */
  condition: CreationCondition | null;
}

// K1. A creation is sent again only if the one before was certainly not carried out: else it might
//     be told `exists` of its own object.
// K2. 412: the object is there. 409 with the code of a vendor's header: the same. 409
//     ConditionalRequestConflict: others were at work at that moment, nothing was done (a kind of
//     StorageThrottledError, so it is sent again).

const EXISTS = /^(PreconditionFailed|FileAlreadyExists|ObjectAlreadyExists?)$/;

/** `createIfAbsent` of the S3 driver. */
export async function createObject(
  calls: S3Calls,
  name: string,
  data: Uint8Array,
  mode: CreationMode,
  signal: AbortSignal | undefined,
): Promise<'created' | 'exists'> {
  calls.check('createIfAbsent', name);
  const bytes = data.slice();
  const { condition } = mode;
  const call = { signal, sentBytes: bytes.length };
  if (condition === null) {
    const isThere = await calls.send('createIfAbsent', name, call, (client, sending) =>
      exists(client, calls, name, sending),
    );
    if (isThere) return 'exists';
    const command = new PutObjectCommand({ ...calls.object(name), Body: bytes });
    await calls.send('createIfAbsent', name, call, (client, sending) =>
      client.send(command, sending),
    );
    return 'created';
  }
  return calls.send('createIfAbsent', name, { ...call, isRepeatable: false }, (client, sending) =>
    createOnce(client, calls, name, bytes, condition, sending),
  );
}

async function createOnce(
  client: S3Client,
  calls: S3Calls,
  name: string,
  bytes: Uint8Array,
  condition: CreationCondition,
  sending: Sending,
): Promise<'created' | 'exists'> {
  try {
    await client.send(conditionalPut(calls, name, bytes, condition), sending);
    return 'created';
  } catch (error) {
    const { code, status } = failureOf(error);
    if (status === 412 || EXISTS.test(code)) return 'exists';
    throw error;
  }
}

function conditionalPut(
  calls: S3Calls,
  name: string,
  bytes: Uint8Array,
  condition: CreationCondition,
): PutObjectCommand {
  const object = { ...calls.object(name), Body: bytes };
  if (condition === 'if-none-match') return new PutObjectCommand({ ...object, IfNoneMatch: '*' });
  const command = new PutObjectCommand(object);
  command.middlewareStack.add(
    (next) => async (args) => {
      (args.request as { headers: Record<string, string> }).headers[condition] = 'true';
      return next(args);
    },
    { step: 'build', name: 'millraceForbidOverwrite' },
  );
  return command;
}

async function exists(
  client: S3Client,
  calls: S3Calls,
  name: string,
  sending: Sending,
): Promise<boolean> {
  try {
    await client.send(new HeadObjectCommand(calls.object(name)), sending);
    return true;
  } catch (error) {
    if (failureOf(error).status === 404) return false;
    throw error;
  }
}
