// Goal: the S3 driver keeps the contract on a real server, and leaves nothing behind.
// Method: the conformance suite against versitygw; uploads that break off; another thread.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { readableAtOnce } from '@millrace/core/host';
import {
  type CheckpointStorage,
  StorageBucketNotFoundError,
  StorageCredentialsError,
  StorageUnreachableError,
} from '@millrace/core/storage';
import { storageConformance } from '@millrace/core/storage-conformance';
import { openS3Storage, s3StorageOf, type S3StorageOptions } from '@millrace/storage-s3';
import { type S3Server, startVersitygw } from '../../tools/servers/versitygw.ts';

const PART_BYTES = 5 * 2 ** 20;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

describe('S3 on a real server', { concurrency: false }, () => {
  let server: S3Server;
  let prefixes = 0;
  before(async () => {
    server = await startVersitygw(['bucket']);
  });
  after(() => server.stop());

  const optionsOf = (more: Partial<S3StorageOptions> = {}): S3StorageOptions => ({
    bucket: 'bucket',
    prefix: `jobs/${++prefixes}`,
    endpoint: server.endpoint,
    credentials: server,
    partBytes: PART_BYTES,
    ...more,
  });
  const open = (more?: Partial<S3StorageOptions>): Promise<CheckpointStorage> =>
    openS3Storage(optionsOf(more));

  storageConformance('S3Storage on versitygw', () => open(), { largeBytes: 17_000_000 });

  storageConformance('S3Storage that is read at once by a thread', async () =>
    readableAtOnce(await open()),
  );

  test('finds out that the server creates conditionally, and leaves no probe', async () => {
    const storage = await open();
    assert.equal(storage.hasConditionalCreate, true);
    assert.deepEqual(await storage.list(''), []);
    await storage.close();
    const reader = await open({ access: 'read' });
    assert.equal(reader.hasConditionalCreate, false);
    await reader.close();
  });

  test('two storages of one prefix have one winner, and see each other', async () => {
    const prefix = 'shared-prefix';
    const both = [await open({ prefix }), await open({ prefix })];
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          both[i % 2]!.createIfAbsent(`log/${round}`, bytes(`${i}`)),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
      const content = text(await both[round % 2]!.get(`log/${round}`));
      assert.equal(content, String(outcomes.indexOf('created')));
    }
    for (const storage of both) await storage.close();
  });

  test('removes uploads that nobody completed, and only those below its prefix', async () => {
    const [one, other] = [optionsOf(), optionsOf()];
    const storage = await openS3Storage(one);
    const neighbour = await openS3Storage(other);
    const { S3Client, CreateMultipartUploadCommand, ListMultipartUploadsCommand } = await import(
      '@aws-sdk/client-s3'
    );
    const client = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: server,
    });
    for (const { prefix } of [one, one, other]) {
      const Key = `${prefix}/shared/1.run`;
      await client.send(new CreateMultipartUploadCommand({ Bucket: 'bucket', Key }));
    }
    const openUploads = async (): Promise<(string | undefined)[]> => {
      const page = await client.send(new ListMultipartUploadsCommand({ Bucket: 'bucket' }));
      return (page.Uploads ?? []).map(({ Key }) => Key);
    };
    assert.equal((await openUploads()).length, 3);
    await storage.removeLeftovers();
    assert.deepEqual(await openUploads(), [`${other.prefix}/shared/1.run`]);
    await neighbour.removeLeftovers();
    // A stream that was given up aborts its own.
    const controller = new AbortController();
    async function* hangs(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(2 * PART_BYTES);
      setTimeout(() => controller.abort(), 100);
      await new Promise(() => {});
    }
    await assert.rejects(
      storage.putStream('shared/2.run', hangs(), { signal: controller.signal }),
      (error) => error === controller.signal.reason,
    );
    await storage.close();
    await neighbour.close();
    assert.deepEqual(await openUploads(), []);
    client.destroy();
  });

  test('opens in another thread from plain data', async () => {
    const storage = await open();
    await storage.put('a', [bytes('from another thread')]);
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      (async () => {
        const { module, exportName, options } = workerData;
        const storage = await (await import(module))[exportName](options);
        const bytes = await storage.getRange('a', 5, 7);
        await storage.close();
        parentPort.postMessage([new TextDecoder().decode(bytes), storage.hasConditionalCreate]);
      })();`;
    const worker = new Worker(code, { eval: true, workerData: storage.opener });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    assert.deepEqual(answer, ['another', true]);
    await worker.terminate();
    await storage.close();
  });

  test('says what is wrong with bucket, credentials and endpoint', async () => {
    const network = { attemptCount: 2, firstDelayMs: 1 };
    const wrong: readonly [Partial<S3StorageOptions>, new (...args: never[]) => Error][] = [
      [{ bucket: 'no-such-bucket' }, StorageBucketNotFoundError],
      [{ credentials: { accessKeyId: 'x', secretAccessKey: 'y' } }, StorageCredentialsError],
      [{ credentials: { ...server, secretAccessKey: 'wrong' } }, StorageCredentialsError],
      [{ endpoint: 'http://127.0.0.1:1' }, StorageUnreachableError],
      [{ endpoint: 'http://no-such-host.invalid' }, StorageUnreachableError],
    ];
    for (const [more, expected] of wrong) {
      await assert.rejects(open({ ...more, network }), (error: unknown) => {
        assert.ok(error instanceof expected, String(error));
        assert.ok('hint' in error && typeof error.hint === 'string');
        assert.doesNotMatch(error.message, /testtesttest/);
        return true;
      });
    }
  });

  test('opens a URL with the usual variables', async () => {
    const saved = { ...process.env };
    process.env.AWS_ACCESS_KEY_ID = server.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = server.secretAccessKey;
    process.env.AWS_ENDPOINT_URL_S3 = server.endpoint;
    try {
      const storage = await s3StorageOf('s3://bucket/by/url%20of+ä&b');
      assert.equal(storage.location, 's3://bucket/by/url of+ä&b');
      await storage.put('a', [bytes('x')]);
      assert.deepEqual(await storage.list(''), [{ name: 'a', sizeBytes: 1 }]);
      await storage.deleteAll(['a']);
      assert.deepEqual(await storage.list(''), []);
      await storage.close();
    } finally {
      process.env = saved;
    }
  });
});
