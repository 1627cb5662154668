// Goal: what a store or a network can do wrong comes out as the right error with a hint, repeated
// or not as it should be, and never leaves half an object. Method: a server that is told to fail.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  StorageBucketNotFoundError,
  StorageClockSkewError,
  StorageCredentialsError,
  StorageCredentialsExpiredError,
  StorageError,
  StorageFullError,
  StorageKeyDeniedError,
  StorageNotFoundError,
  StoragePermissionError,
  StorageRefusedError,
  StorageRegionError,
  StorageThrottledError,
  StorageUnavailableError,
} from '@millrace/core/storage';
import { storageConformance } from '@millrace/core/storage-conformance';
import { openS3Storage } from '../src/open-s3-storage.ts';
import type { S3StorageOptions } from '../src/s3-options.ts';
import type { S3Storage } from '../src/s3-storage.ts';
import { type FakeFault, type FakeRequest, FakeS3 } from './fake-s3.ts';

const PART_BYTES = 5 * 2 ** 20;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const large = (parts: number): Uint8Array[] =>
  Array.from({ length: parts }, (_, i) => new Uint8Array(PART_BYTES).fill(i + 1));
async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

let fake: FakeS3;
let storage: S3Storage;
let hasty: S3Storage;
const network = { attemptCount: 3, firstDelayMs: 2, delayMsMax: 5 };
/** Of a storage that soon loses its patience; it moves little data. */
const hastyNetwork = {
  ...network,
  idleTimeoutMs: 150,
  callTimeoutMs: 400,
  bytesPerSecondMin: 1e9,
};
const options = (more: Partial<S3StorageOptions> = {}): S3StorageOptions => ({
  bucket: 'bucket',
  prefix: 'job',
  endpoint: fake.endpoint,
  credentials: { accessKeyId: 'id', secretAccessKey: 'do-not-show' },
  partBytes: PART_BYTES,
  network,
  ...more,
});

before(async () => {
  fake = await FakeS3.start();
  storage = await openS3Storage(options());
  hasty = await openS3Storage(options({ network: hastyNetwork, access: 'read' }));
});
after(async () => {
  await storage.close();
  await hasty.close();
  await fake.stop();
});
beforeEach(() => {
  fake.fault = () => undefined;
  fake.creationHeader = 'if-none-match';
  fake.objects.clear();
  fake.uploads.clear();
  fake.requests.length = 0;
});

storageConformance(
  'S3Storage on a server in memory',
  () => openS3Storage(options({ network: {} })),
  { largeBytes: 11_000_000 },
);

/** Requests of one kind meet with faults, one after the other; then all is well. */
function script(what: string, faults: readonly FakeFault[]): void {
  const left = [...faults];
  fake.fault = (request) => (request.what === what ? left.shift() : undefined);
}

function always(fault: FakeFault, isMeant: (request: FakeRequest) => boolean = () => true): void {
  fake.fault = (request) => (isMeant(request) ? fault : undefined);
}

type ErrorClass = new (...args: never[]) => StorageError;

async function rejects(call: Promise<unknown>, expected: ErrorClass): Promise<StorageError> {
  const error = await call.then(
    () => assert.fail('did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StorageError, String(error));
  assert.equal(error.constructor, expected, String(error));
  assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.details]), /do-not-show/);
  return error;
}

const KMS = 'User is not authorized to perform: kms:GenerateDataKey on this resource';
const refusals: readonly (readonly [FakeFault & object, ErrorClass, number, RegExp])[] = [
  [{ status: 503, code: 'SlowDown' }, StorageThrottledError, 3, /less often/],
  [{ status: 429, code: 'TooManyRequests' }, StorageThrottledError, 3, /less often/],
  [{ status: 500, code: 'InternalError' }, StorageUnavailableError, 3, /repeated/],
  [{ status: 503, code: 'ServiceUnavailable' }, StorageUnavailableError, 3, /repeated/],
  [{ status: 400, code: 'RequestTimeout' }, StorageUnavailableError, 3, /repeated/],
  [{ status: 403, code: 'RequestTimeTooSkewed' }, StorageClockSkewError, 2, /NTP/],
  [{ status: 400, code: 'ExpiredToken' }, StorageCredentialsExpiredError, 2, /renewed/],
  [{ status: 403, code: 'AccessDenied' }, StoragePermissionError, 1, /s3:GetObject/],
  [{ status: 403, code: 'AccessDenied', message: KMS }, StorageKeyDeniedError, 1, /kms:Decrypt/],
  [{ status: 400, code: 'KMS.DisabledException' }, StorageKeyDeniedError, 1, /kms:Decrypt/],
  [{ status: 403, code: 'InvalidAccessKeyId' }, StorageCredentialsError, 1, /access key/],
  [{ status: 403, code: 'SignatureDoesNotMatch' }, StorageCredentialsError, 1, /access key/],
  [{ status: 404, code: 'NoSuchBucket' }, StorageBucketNotFoundError, 1, /Create the bucket/],
  [{ status: 507, code: 'XMinioStorageFull' }, StorageFullError, 1, /quota/],
  [{ status: 400, code: 'InvalidArgument' }, StorageRefusedError, 1, /server says/],
  [
    { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-9' } },
    StorageRegionError,
    1,
    /region=eu-west-9/,
  ],
  [{ status: 400, code: 'AuthorizationHeaderMalformed' }, StorageRegionError, 1, /AWS_REGION/],
];
for (const [fault, expected, requestCount, hint] of refusals) {
  test(`S3Storage: ${fault.code}, HTTP ${fault.status}, is ${expected.name}`, async () => {
    always(fault);
    const calls = [
      () => storage.put('a', [bytes('x')]),
      () => storage.get('a'),
      () => storage.getRange('a', 1, 2),
      () => storage.list(''),
      () => storage.delete('a'),
      () => storage.deleteAll(['a', 'b']),
    ];
    for (const call of calls) {
      fake.requests.length = 0;
      const error = await rejects(call(), expected);
      assert.match(error.hint ?? '', hint);
      assert.equal(fake.requests.length, requestCount);
    }
    assert.equal(fake.objects.size, 0);
  });
}

test('S3Storage goes on when the store is well again', async () => {
  for (const fault of [
    { status: 503, code: 'SlowDown' },
    { status: 500, code: 'InternalError' },
    'reset',
    'lost reply',
    'hang',
  ] as const) {
    script('PUT', [fault]);
    await hasty.put('a', [bytes('content')]);
    assert.equal(text(fake.objects.get('job/a')!), 'content');
    for (const inBody of ['cut in body', 'hang in body', fault] as const) {
      script('GET', [inBody]);
      assert.equal(text(await hasty.get('a')), 'content');
      script('GET', [inBody]);
      assert.equal(text(await hasty.getRange('a', 1, 3)), 'ont');
    }
  }
});

test('S3Storage gives a server up that hangs, in the time that it promises', async () => {
  await storage.put('a', [bytes('content')]);
  const calls = [
    () => hasty.get('a'),
    () => hasty.list(''),
    () => hasty.put('b', [bytes('x')]),
    () => hasty.createIfAbsent('b', bytes('x')),
    () => hasty.putStream('b', stream(large(2))),
  ];
  for (const [fault, some] of [
    ['hang', calls],
    ['hang in body', calls.slice(0, 2)],
  ] as const) {
    always(fault, ({ what }) => what !== 'DELETE ?uploadId');
    for (const call of some) {
      const startMs = performance.now();
      const error = await rejects(call(), StorageUnavailableError);
      assert.match(error.message, /no answer for too long|not done in time/);
      assert.ok(performance.now() - startMs < 1_500);
    }
  }
  assert.deepEqual([...fake.objects.keys()], ['job/a']);
});

test('S3Storage does not wait for a server when it is told to give up', async () => {
  const patient = await openS3Storage(options());
  fake.objects.set('job/a', Buffer.from('content'));
  for (const fault of ['hang', 'hang in body'] as const) {
    always(fault);
    const controller = new AbortController();
    const call = patient.get('a', { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await assert.rejects(call, /enough/);
  }
  fake.fault = () => undefined;
  await patient.close();
});

test('S3Storage tells a creation only what is certain', async () => {
  const cases: readonly (readonly [readonly FakeFault[], string | ErrorClass, number])[] = [
    [[{ status: 503, code: 'SlowDown' }], 'created', 2],
    [[{ status: 409, code: 'ConditionalRequestConflict' }], 'created', 2],
    [[{ status: 409, code: 'ConditionalRequestConflict', isDone: true }], 'exists', 2],
    [[{ status: 500, code: 'InternalError' }], StorageUnavailableError, 1],
    [[{ status: 500, code: 'InternalError', isDone: true }], StorageUnavailableError, 1],
    [[{ status: 503, code: 'ServiceUnavailable' }], StorageUnavailableError, 1],
    [['lost reply'], StorageUnavailableError, 1],
    [['reset'], StorageUnavailableError, 1],
    [['hang'], StorageUnavailableError, 1],
  ];
  for (const [faults, expected, requestCount] of cases) {
    fake.objects.clear();
    fake.requests.length = 0;
    script('PUT', faults);
    const client = faults.includes('hang') ? hasty : storage;
    const call = client.createIfAbsent('log/1', bytes('mine'));
    if (typeof expected === 'string') assert.equal(await call, expected);
    else await rejects(call, expected);
    assert.equal(fake.requests.length, requestCount, JSON.stringify(faults));
  }
  always({ status: 409, code: 'ConditionalRequestConflict' });
  await rejects(storage.createIfAbsent('log/1', bytes('x')), StorageThrottledError);
});

test('S3Storage shows no part of an upload, and aborts what failed', async () => {
  const [what, error] = [['POST ?uploads', 'PUT ?partNumber', 'POST ?uploadId'], 'InternalError'];
  for (const failing of what) {
    always({ status: 500, code: error }, (request) => request.what === failing);
    for (const call of [
      () => storage.put('big', large(3)),
      () => storage.putStream('big', stream(large(3))),
    ]) {
      await rejects(call(), StorageUnavailableError);
      await rejects(storage.get('big'), StorageNotFoundError);
    }
    script(failing, [{ status: 500, code: error }, 'reset']);
    await storage.putStream('big', stream(large(3)));
    assert.deepEqual(new Uint8Array(fake.objects.get('job/big')!), joined(large(3)));
    fake.objects.clear();
  }
  await settled();
  assert.equal(fake.uploads.size, 0);
});

test('S3Storage completes an upload once, although the answer was lost', async () => {
  script('POST ?uploadId', ['lost reply']);
  await storage.put('big', large(2));
  assert.equal(fake.count('POST ?uploadId'), 2);
  assert.equal(fake.count('HEAD'), 1);
  assert.equal(fake.objects.get('job/big')!.length, 2 * PART_BYTES);
});

test('S3Storage says when somebody removed its unfinished upload', async () => {
  fake.fault = ({ what }) => void (what === 'POST ?uploadId' && fake.uploads.clear());
  const error = await rejects(storage.put('big', large(2)), StorageUnavailableError);
  assert.match(error.message, /somebody removed its unfinished upload/);
});

test('S3Storage takes an error within a good answer to a completion for what it is', async () => {
  script('POST ?uploadId', [{ status: 200, code: 'InternalError' }]);
  await storage.put('big', large(2));
  assert.equal(fake.objects.get('job/big')!.length, 2 * PART_BYTES);
});

test('S3Storage leaves an upload that cannot be aborted to removeLeftovers', async () => {
  always({ status: 500, code: 'InternalError' }, ({ what }) => /uploadId/.test(what));
  await rejects(storage.put('big', large(2)), StorageUnavailableError);
  await settled();
  assert.equal(fake.uploads.size, 1);
  fake.fault = () => undefined;
  fake.objects.set('job/probe/dead', Buffer.from('x'));
  await storage.removeLeftovers();
  assert.equal(fake.uploads.size, 0);
  assert.equal(fake.objects.size, 0);
});

test('S3Storage holds few parts of a stream in memory', async () => {
  let pulled = 0;
  let aheadMost = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (; pulled < 12; pulled++) {
      aheadMost = Math.max(aheadMost, pulled - fake.count('PUT ?partNumber'));
      yield new Uint8Array(PART_BYTES);
    }
  }
  await storage.putStream('big', source());
  assert.equal(fake.objects.get('job/big')!.length, 12 * PART_BYTES);
  assert.ok(aheadMost <= 6, `${aheadMost} parts ahead`);
});

test('S3Storage asks for new credentials when they have expired', async () => {
  let asked = 0;
  const credentials = async () => ({ accessKeyId: `key-${++asked}`, secretAccessKey: 's' });
  const renewing = await openS3Storage(options({ credentials }));
  assert.equal(renewing.opener, undefined);
  const expired = { status: 400, code: 'ExpiredToken' };
  fake.fault = ({ headers }) => (/key-1\//.test(headers.authorization!) ? expired : undefined);
  await renewing.put('a', [bytes('x')]);
  assert.equal(asked, 2);
  await renewing.close();
});

test("S3Storage takes the server's clock for its signatures", async () => {
  const aheadMs = 3_600_000;
  const skewed = await openS3Storage(options({ access: 'read' }));
  fake.fault = ({ headers }) => {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(..)(..)T(..)(..)(..)Z$/.exec(
      String(headers['x-amz-date']),
    )!;
    const signedMs = Date.UTC(
      Number(y),
      Number(mo) - 1,
      Number(d),
      Number(h),
      Number(mi),
      Number(s),
    );
    const nowMs = Date.now() + aheadMs;
    if (Math.abs(signedMs - nowMs) < 900_000) return undefined;
    const date = new Date(nowMs).toUTCString();
    return { status: 403, code: 'RequestTimeTooSkewed', headers: { date } };
  };
  await skewed.put('a', [bytes('x')]);
  assert.equal(fake.requests.length, 2);
  await skewed.close();
});

test('openS3Storage notices a store that does not create conditionally', async () => {
  for (const fault of [undefined, { status: 501, code: 'NotImplemented' }]) {
    fake.creationHeader = null;
    fake.fault = ({ headers }) => (headers['if-none-match'] === undefined ? undefined : fault);
    const weak = await openS3Storage(options());
    assert.equal(weak.hasConditionalCreate, false);
    assert.equal(await weak.createIfAbsent('log/1', bytes('x')), 'created');
    assert.equal(await weak.createIfAbsent('log/1', bytes('y')), 'exists');
    assert.equal(text(await weak.get('log/1')), 'x');
    await weak.deleteAll(['log/1']);
    await weak.close();
    assert.equal(fake.objects.size, 0);
  }
});

test('openS3Storage creates with the header of the vendor', async () => {
  for (const creation of ['x-cos-forbid-overwrite', 'x-oss-forbid-overwrite'] as const) {
    fake.creationHeader = creation;
    fake.requests.length = 0;
    const vendor = await openS3Storage(options({ creation }));
    assert.equal(vendor.hasConditionalCreate, true);
    assert.ok(fake.requests[0]!.headers.authorization!.includes(creation), 'the header is signed');
    await vendor.close();
  }
});

test('openS3Storage probes again when the outcome of a probe is unknown', async () => {
  script('PUT', ['lost reply']);
  const opened = await openS3Storage(options());
  assert.equal(opened.hasConditionalCreate, true);
  assert.equal(fake.objects.size, 0);
  await opened.close();
});

test('S3Storage deletes singly where there are no batches, and tells of failures', async () => {
  for (const name of ['a', 'b', 'c']) fake.objects.set(`job/${name}`, Buffer.from('x'));
  await storage.deleteAll(['a']);
  assert.equal(fake.count('POST ?delete'), 1);
  const { headers, body } = fake.requests[0]!;
  const { createHash } = await import('node:crypto');
  assert.equal(headers['content-md5'], createHash('md5').update(body).digest('base64'));
  const old = await openS3Storage(options({ access: 'read' }));
  always({ status: 501, code: 'NotImplemented' }, ({ what }) => what === 'POST ?delete');
  await old.deleteAll(['b', 'c', 'never']);
  await old.deleteAll(['b', 'c']);
  assert.equal(fake.count('POST ?delete'), 2);
  assert.equal(fake.objects.size, 0);
  always({ status: 403, code: 'AccessDenied' }, ({ what }) => what === 'DELETE');
  await rejects(old.deleteAll(['b']), StoragePermissionError);
  await old.close();
});

test('S3Storage reports an object that vanished while it was read', async () => {
  await storage.put('a', [bytes('0123456789')]);
  assert.equal(text(await storage.getRange('a', 0, 2)), '01');
  fake.objects.delete('job/a');
  const error = await rejects(storage.getRange('a', 2, 2), StorageNotFoundError);
  assert.equal(error.details.name, 'a');
});

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

/** Lets aborts that go on in the background come to their end. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
