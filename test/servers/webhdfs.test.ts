// Goal: the WebHDFS driver against a real HDFS, also one that fails. The server is started once;
// tests that break it mend it again.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type CheckpointStorage,
  type StorageError,
  StorageBucketNotFoundError,
  StorageFullError,
  StorageNotDirectoryError,
  StoragePermissionError,
  StorageUnavailableError,
  StorageUnreachableError,
} from '@millrace/core/storage';
import { storageConformance } from '@millrace/core/storage-conformance';
import { openWebHdfsStorage, type WebHdfsOptions } from '@millrace/storage-webhdfs';
import { type MiniHdfs, startMiniHdfs } from '../../tools/servers/hdfs/mini-hdfs.ts';

const directory = mkdtempSync(join(tmpdir(), 'millrace-hdfs-'));
let hdfs: MiniHdfs;
let bases = 0;

before(async () => {
  hdfs = await startMiniHdfs(join(directory, 'one'));
});
after(async () => {
  await hdfs.stop();
  rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (data: Uint8Array): string => new TextDecoder().decode(data);

function open(
  base = `/base-${bases++}`,
  options: Partial<WebHdfsOptions> = {},
): Promise<CheckpointStorage> {
  return openWebHdfsStorage({ url: `${hdfs.url}${base}`, ...options });
}

/** Gives up soon: for servers that are known to be down. */
const impatient = { network: { attemptCount: 2, firstDelayMs: 10 } };

async function withStorage<T>(
  storage: Promise<CheckpointStorage>,
  use: (storage: CheckpointStorage) => Promise<T>,
): Promise<T> {
  const opened = await storage;
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

/** The names of all files of the base, temporary ones too. */
async function filesBelow(path: string): Promise<string[]> {
  const url = `http://${hdfs.nameNodes[0]}/webhdfs/v1${path}?op=LISTSTATUS&user.name=millrace`;
  const answer: { FileStatuses: { FileStatus: { pathSuffix: string; type: string }[] } } =
    JSON.parse(await (await fetch(url)).text());
  const names: string[] = [];
  for (const { pathSuffix, type } of answer.FileStatuses.FileStatus) {
    if (type === 'FILE') names.push(`${path}/${pathSuffix}`);
    else names.push(...(await filesBelow(`${path}/${pathSuffix}`)));
  }
  return names;
}

function failsAs(
  type: abstract new (...args: never[]) => StorageError,
  message: RegExp,
  hint: RegExp,
): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof type, String(error));
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    return true;
  };
}

storageConformance('WebHdfsStorage', () => open());

describe('WebHdfsStorage', () => {
  test('has one winner among 24 creators, 20 times, whose content stays', async () => {
    const base = '/race';
    const writers = await Promise.all(
      Array.from({ length: 24 }, () => open(base, { syncBlocks: false })),
    );
    for (let round = 0; round < 20; round++) {
      const name = `log/${round}.json`;
      const outcomes = await Promise.all(
        writers.map((storage, i) => storage.createIfAbsent(name, bytes(`writer ${i}`))),
      );
      const winners = outcomes.flatMap((outcome, i) => (outcome === 'created' ? [i] : []));
      assert.equal(winners.length, 1, `round ${round}`);
      assert.equal(read(await writers[0]!.get(name)), `writer ${winners[0]}`);
    }
    await Promise.all(writers.map((storage) => storage.close()));
    assert.equal((await filesBelow(base)).length, 20, 'losers leave nothing behind');
  });

  test('lists more than the NameNode gives at once', async () => {
    await withStorage(open(), async (storage) => {
      const names = Array.from({ length: 1_050 }, (_, i) => `shared/${String(i).padStart(5, '0')}`);
      const left = [...names];
      const worker = async (): Promise<void> => {
        for (let name = left.pop(); name !== undefined; name = left.pop()) {
          await storage.put(name, []);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      assert.deepEqual(
        (await storage.list('shared/')).map(({ name }) => name),
        names,
      );
      await storage.deleteAll(names);
      assert.deepEqual(await storage.list(''), []);
    });
  });

  test('syncs blocks to disk before it resolves', { timeout: 60_000 }, async () => {
    // The DataNode tells its metrics anew every ten seconds.
    const countAfter = async (least: number): Promise<number> => {
      for (let look = 0; ; look++) {
        const location = await dataNodeOf('/sync-count');
        const jmx = await (await fetch(`http://${location}/jmx`)).text();
        const count = Number(/"FsyncCount" : (\d+)/.exec(jmx)?.[1] ?? 0);
        if (count >= least || look > 60) return count;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    };
    const earlier = await countAfter(1);
    await withStorage(open(), (storage) => storage.put('a', [bytes('x')]));
    assert.ok((await countAfter(earlier + 1)) > earlier);
  });

  test('leaves nothing behind when a stream breaks off', async () => {
    const base = `/base-${bases++}`;
    await withStorage(open(base), async (storage) => {
      const broken = new Error('the stream broke');
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < 40; i++) yield new Uint8Array(100_000);
        throw broken;
      }
      await assert.rejects(storage.putStream('shared/a', chunks()), (error) => error === broken);
      assert.deepEqual(await storage.list(''), []);
    });
    assert.deepEqual(await filesBelow(base), []);
  });

  test('removes temporary files of the dead, and lists none', async () => {
    const base = `/base-${bases++}`;
    await withStorage(open(base), async (storage) => {
      await storage.put('shared/a', [bytes('x')]);
      const dataNode = await dataNodeOf(`${base}/shared/~dead`, true);
      const empty = request(dataNode, { method: 'PUT' }); // `fetch` cannot: 100 Continue, unasked
      const answered = once(empty, 'response');
      empty.end();
      await answered;
      assert.equal((await filesBelow(base)).length, 2);
      assert.equal((await storage.list('')).length, 1);
      await storage.removeLeftovers?.();
      assert.deepEqual(await filesBelow(base), [`${base}/shared/a`]);
    });
  });

  test('opens again from its plain description', async () => {
    await withStorage(open(), async (storage) => {
      await storage.put('a', [bytes('x')]);
      const { module, exportName, options } = structuredClone(storage.opener!);
      const exported = await import(module);
      const again: CheckpointStorage = await exported[exportName](options);
      assert.equal(read(await again.get('a')), 'x');
      await again.close();
    });
  });
});

describe('WebHdfsStorage of a server that fails', () => {
  test('names missing permissions', async () => {
    await withStorage(open('/owned'), (storage) => storage.put('a', [bytes('x')]));
    await withStorage(open('/owned', { user: 'stranger' }), async (storage) => {
      assert.equal(read(await storage.get('a')), 'x');
      const expected = failsAs(StoragePermissionError, /user=stranger/, /webhdfs:\/\/user@/);
      await assert.rejects(storage.put('b', [bytes('x')]), expected);
      await assert.rejects(storage.put('b', [new Uint8Array(5_000_000)]), expected);
      await assert.rejects(storage.createIfAbsent('b', bytes('x')), expected);
      await assert.rejects(storage.delete('a'), expected);
    });
  });

  test('names a full quota, of names and of bytes', async () => {
    await withStorage(open('/small'), async (storage) => {
      await storage.put('a', [bytes('x')]);
      await hdfs.command('quota /small 2 -1');
      const names = failsAs(StorageFullError, /NameSpace quota/, /-setSpaceQuota/);
      await assert.rejects(storage.put('b', [bytes('x')]), names);
      await hdfs.command('quota /small -1 1200000');
      const space = failsAs(StorageFullError, /DiskSpace quota/, /-setSpaceQuota/);
      await assert.rejects(storage.put('b', [new Uint8Array(4_000_000)]), space);
      await hdfs.command('quota /small -1 -1');
      await storage.put('b', [new Uint8Array(4_000_000)]);
      assert.equal((await filesBelow('/small')).length, 2);
    });
  });

  test('names a directory that is a file', async () => {
    await withStorage(open('/file'), (storage) => storage.put('a', [bytes('x')]));
    await withStorage(open('/file/a'), async (storage) => {
      const expected = failsAs(
        StorageNotDirectoryError,
        /is not a directory/,
        /another checkpoint/,
      );
      await assert.rejects(storage.put('b', [bytes('x')]), expected);
      assert.deepEqual(await storage.list(''), []);
    });
  });

  test('names the safe mode, in which it reads on', async () => {
    await withStorage(open('/safe', impatient), async (storage) => {
      await storage.put('a', [bytes('x')]);
      await hdfs.command('safemode on');
      try {
        const expected = failsAs(StorageUnavailableError, /safe mode/, /-safemode get/);
        await assert.rejects(storage.put('b', [bytes('x')]), expected);
        await assert.rejects(storage.createIfAbsent('b', bytes('x')), expected);
        assert.equal(read(await storage.get('a')), 'x');
      } finally {
        await hdfs.command('safemode off');
      }
      await storage.put('b', [bytes('x')]);
    });
  });

  test('names a DataNode that is down, and goes on when it is back', async () => {
    await withStorage(open('/dead', impatient), async (storage) => {
      await storage.put('a', [bytes('x')]);
      await hdfs.command('datanode stop');
      try {
        // First it does not answer; then, left out, there is no other.
        const expected = failsAs(StorageUnavailableError, /datanode/i, /DataNode/);
        await assert.rejects(storage.put('b', [bytes('x')]), expected);
        await assert.rejects(storage.get('a'), StorageUnavailableError);
      } finally {
        await hdfs.command('datanode start');
      }
      await storage.put('b', [bytes('x')]);
      assert.equal(read(await storage.get('a')), 'x');
    });
  });

  test('says that it talks to the RPC port, or to no HDFS', async () => {
    const rpc = new URL((await dataNodeOf('/x', true)).toString()).searchParams;
    const url = `webhdfs://${rpc.get('namenoderpcaddress')}/x`;
    await withStorage(openWebHdfsStorage({ url }), async (storage) => {
      const expected = failsAs(StorageBucketNotFoundError, /is the RPC port/, /9870/);
      await assert.rejects(storage.list(''), expected);
    });
  });

  test('keeps what was complete when the server is killed in mid-write', async () => {
    await withStorage(open('/killed', impatient), async (storage) => {
      await storage.put('a', [bytes('before')]);
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) {
          yield new Uint8Array(100_000);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      const writing = storage.putStream('b', endless());
      const failed = assert.rejects(writing, StorageUnavailableError);
      await new Promise((resolve) => setTimeout(resolve, 200));
      await hdfs.kill();
      await failed;
      const expected = failsAs(StorageUnreachableError, /NameNode.*ECONNREFUSED/, /Is it up/);
      await assert.rejects(storage.put('c', [bytes('x')]), expected);
      await hdfs.restart();
      await storage.put('c', [bytes('after')]);
      assert.deepEqual(
        (await storage.list('')).map(({ name }) => name),
        ['a', 'c'],
      );
      assert.equal(read(await storage.get('a')), 'before');
      await storage.removeLeftovers?.();
      assert.deepEqual(await filesBelow('/killed'), ['/killed/a', '/killed/c']);
    });
  });
});

test('WebHdfsStorage follows the active one of two NameNodes', async () => {
  const pair = await startMiniHdfs(join(directory, 'pair'), { pair: true });
  try {
    await withStorage(openWebHdfsStorage({ url: `${pair.url}/ha` }), async (storage) => {
      await storage.put('a', [bytes('x')]);
      await pair.command('failover 0 1');
      assert.equal(read(await storage.get('a')), 'x');
      await storage.put('b', [bytes('y')]);
    });
    const standby = `webhdfs://millrace@${pair.nameNodes[0]}/ha`;
    await withStorage(openWebHdfsStorage({ url: standby, ...impatient }), async (storage) => {
      const expected = failsAs(StorageUnavailableError, /is a standby/, /host1:port,host2/);
      await assert.rejects(storage.list(''), expected);
    });
  } finally {
    await pair.stop();
  }
});

/** `host:port` of the DataNode for a new file, or the whole URL to write it to. */
async function dataNodeOf(path: string, whole = false): Promise<string> {
  const query = 'op=CREATE&noredirect=true&user.name=millrace';
  const url = `http://${hdfs.nameNodes[0]}/webhdfs/v1${path}?${query}`;
  const answer = await fetch(url, { method: 'PUT' });
  const { Location }: { Location: string } = JSON.parse(await answer.text());
  return whole ? Location : new URL(Location).host;
}
