// Goal: what a real cluster does too rarely to be tested with one. Method: a server that answers as
// it is told; test/servers/webhdfs.test.ts has the real one.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type CheckpointStorage,
  StorageCredentialsError,
  StorageCredentialsExpiredError,
  StorageThrottledError,
  StorageUnavailableError,
  StorageUnreachableError,
} from '@millrace/core/storage';
import { openWebHdfsStorage, type WebHdfsOptions } from '../src/index.ts';
import { FakeNameNode, refusal, type Reply, type Seen } from './fake-name-node.ts';

const bytes = new TextEncoder().encode('content');
const quick = { firstDelayMs: 1, delayMsMax: 1, connectTimeoutMs: 500, idleTimeoutMs: 200 };

async function setting(
  context: TestContext,
  answer: (seen: Seen, fake: FakeNameNode) => Reply | null,
  options: Partial<WebHdfsOptions> = {},
): Promise<{ readonly fake: FakeNameNode; readonly storage: CheckpointStorage }> {
  const fake = await FakeNameNode.start(answer);
  const url = `webhdfs://me@${fake.host}/base`;
  const storage = await openWebHdfsStorage({ url, network: quick, ...options });
  context.after(async () => {
    await storage.close();
    await fake.close();
  });
  return { fake, storage };
}

const opOf = ({ parameters }: Seen): string | null => parameters.get('op');
const isDataNode = ({ parameters }: Seen): boolean => parameters.has('datanode');

test('put writes under another name, synced, and renames over', async (t) => {
  const { fake, storage } = await setting(t, () => null);
  await storage.put('shared/a', [bytes, bytes]);
  const story = ['CREATE /base/shared/~', 'CREATE* /base/shared/~', 'RENAME /base/shared/~'];
  assert.deepEqual(fake.story, story);
  const [, written, renamed] = fake.requests;
  assert.equal(written!.body, 'contentcontent');
  assert.equal(written!.parameters.get('createflag'), 'CREATE,SYNC_BLOCK');
  assert.equal(written!.parameters.get('user.name'), 'me');
  assert.equal(renamed!.path, written!.path);
  assert.equal(renamed!.parameters.get('destination'), '/base/shared/a');
  assert.equal(renamed!.parameters.get('renameoptions'), 'OVERWRITE');
});

test('put whose rename was done, but not heard of, is done', async (t) => {
  let renames = 0;
  const { fake, storage } = await setting(t, (seen) => {
    if (opOf(seen) === 'GETFILESTATUS') return { status: 200, json: { FileStatus: {} } };
    if (opOf(seen) !== 'RENAME') return null;
    return ++renames === 1 ? 'cut' : refusal('FileNotFoundException', 'rename source', 404);
  });
  await storage.put('a', [bytes]);
  assert.equal(renames, 2);
  assert.equal(fake.story.at(-1), 'GETFILESTATUS /base/a');
});

test('put whose temporary file was taken away fails, and may be repeated', async (t) => {
  const { storage } = await setting(t, (seen) =>
    opOf(seen) === 'RENAME' ? refusal('FileNotFoundException', 'rename source', 404) : null,
  );
  await assert.rejects(storage.put('a', [bytes]), (error: unknown) => {
    assert.ok(error instanceof StorageUnavailableError);
    assert.match(error.message, /temporary file was removed/);
    return true;
  });
});

test('createIfAbsent is not repeated when its outcome is unknown', async (t) => {
  for (const reply of ['cut', 'hang'] as const) {
    const { fake, storage } = await setting(t, (seen) => (opOf(seen) === 'RENAME' ? reply : null));
    await assert.rejects(storage.createIfAbsent('a', bytes), StorageUnavailableError);
    assert.equal(fake.story.filter((line) => line.startsWith('RENAME')).length, 1, reply);
  }
});

test('createIfAbsent understands a gateway that only says that it did not rename', async (t) => {
  const { fake, storage } = await setting(t, (seen) => {
    if (opOf(seen) === 'RENAME') return { status: 200, json: { boolean: false } };
    if (opOf(seen) === 'GETFILESTATUS') return { status: 200, json: { FileStatus: {} } };
    return null;
  });
  assert.equal(await storage.createIfAbsent('a', bytes), 'exists');
  assert.match(fake.story.at(-1)!, /^DELETE \/base\/~/, 'the loser cleans up');
});

test('a write that breaks off in mid-body is repeated under a new name', async (t) => {
  let writes = 0;
  const { fake, storage } = await setting(t, (seen) =>
    opOf(seen) === 'CREATE' && isDataNode(seen) && ++writes === 1 ? 'cut' : null,
  );
  await storage.put('a', [bytes]);
  const written = fake.requests.filter((seen) => opOf(seen) === 'CREATE' && isDataNode(seen));
  assert.equal(written.length, 2);
  assert.notEqual(written[0]!.path, written[1]!.path);
  await storage.close();
  const deleted = fake.requests.filter((seen) => opOf(seen) === 'DELETE');
  assert.deepEqual(
    deleted.map(({ path }) => path),
    [written[0]!.path],
  );
});

// Seen in CI: the file appeared after it had been deleted.
test('a write that arrives behind the deletion of its file is deleted all the same', async (t) => {
  let writes = 0;
  let deletions = 0;
  const { storage } = await setting(t, (seen) => {
    if (opOf(seen) === 'DELETE') return { status: 200, json: { boolean: ++deletions === 3 } };
    return opOf(seen) === 'CREATE' && isDataNode(seen) && ++writes === 1 ? 'cut' : null;
  });
  await storage.put('a', [bytes]);
  await storage.close();
  assert.equal(deletions, 3);
});

test('a DataNode that is not reached is left out, until there is no other', async (t) => {
  const asked: (string | null)[] = [];
  const { storage } = await setting(t, (seen) => {
    if (opOf(seen) !== 'OPEN' || isDataNode(seen)) return null;
    const excluded = seen.parameters.get('excludedatanodes');
    asked.push(excluded);
    if (asked.length === 1) return { status: 200, json: { Location: 'http://127.0.0.1:1/x' } };
    return excluded === null ? null : refusal('IOException', 'No active nodes contain this block');
  });
  await storage.get('a');
  assert.deepEqual(asked, [null, '127.0.0.1', null]);
});

test('a server that redirects, although asked not to, is followed', async (t) => {
  const { storage } = await setting(t, (seen, fake) =>
    isDataNode(seen)
      ? { status: 200, json: 'bytes' }
      : { status: 307, location: `http://${fake.host}/webhdfs/v1/a?op=OPEN&datanode=x` },
  );
  assert.equal(Buffer.from(await storage.get('a')).toString(), '"bytes"');
});

test('a server that hangs is given up in time', { timeout: 5_000 }, async (t) => {
  const { fake, storage } = await setting(t, () => 'hang');
  await assert.rejects(storage.get('a'), StorageUnavailableError);
  assert.ok(fake.requests.length > 1, 'reads are repeated');
  const signal = AbortSignal.timeout(20);
  await assert.rejects(storage.get('a', { signal }), (error) => error === signal.reason);
});

test('a delegation token stands in for the user', async (t) => {
  const { fake, storage } = await setting(t, () => null, { delegationToken: 'secret' });
  await storage.get('a');
  assert.equal(fake.requests[0]!.parameters.get('delegation'), 'secret');
  assert.equal(fake.requests[0]!.parameters.has('user.name'), false);
  assert.doesNotMatch(storage.location, /secret/);
});

test('refusals become errors that say who can help', async (t) => {
  for (const [reply, type] of [
    [refusal('InvalidToken', 'token is expired'), StorageCredentialsExpiredError],
    [refusal('SecurityException', 'Failed to obtain user', 401), StorageCredentialsError],
    [{ status: 401 }, StorageCredentialsError],
    [{ status: 429 }, StorageThrottledError],
    [refusal('RetriableException'), StorageThrottledError],
    [{ status: 502 }, StorageUnavailableError],
  ] as const) {
    const { storage } = await setting(t, () => reply);
    await assert.rejects(storage.list(''), type, JSON.stringify(reply));
  }
});

test('a host that nobody knows is unreachable', async (t) => {
  const storage = await openWebHdfsStorage({ url: 'webhdfs://127.0.0.1:1/x', network: quick });
  t.after(() => storage.close());
  await assert.rejects(storage.get('a'), StorageUnreachableError);
});
